import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '@das/kernel';
import { FolderCache, type MakeFolder } from './folder-cache.js';

const clock = { now: () => 1_700_000_000_000 } as unknown as Clock;

describe('a cache of folders', () => {
  let folder: string;
  let made: string[];
  let faults: string[];
  let ids: number;
  /** Called whenever the cache makes up a name: when it makes a folder, and when it takes one away. */
  let onName: () => void;
  let check: ((path: string) => Promise<void>) | undefined;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'das-folders-'));
    [made, faults, ids] = [[], [], 0];
    onName = () => undefined;
    check = async () => undefined;
  });
  afterEach(() => rm(folder, { recursive: true }));

  const newId = (): string => {
    onName();
    return `id${(ids += 1)}`;
  };
  const open = async (bytesMax: number): Promise<FolderCache<string>> => {
    const cache = new FolderCache<string>({
      ...{ folder, bytesMax, clock, newId, what: 'folder', prefix: 'f-' },
      onFault: (message) => void faults.push(message),
      adopt: async (path, digest) => {
        if ((await readFile(join(path, 'text'), 'utf8')) !== digest) throw new Error('another text');
        return { bytes: 10, facts: digest };
      },
      ...(check === undefined ? {} : { check: (path) => check!(path) }),
    });
    await cache.open();
    return cache;
  };
  /** A folder of ten bytes. */
  const make =
    (digest: string): MakeFolder<string> =>
    async (empty) => {
      made.push(digest);
      const path = join(empty, 'folder');
      await mkdir(path);
      await writeFile(join(path, 'text'), digest);
      return { path, bytes: 10, facts: digest };
    };
  const lease = (cache: FolderCache<string>, digest: string) => cache.lease(digest, make(digest));
  const names = async (): Promise<string[]> => (await readdir(folder)).sort();

  it('makes each once, however many ask at the same time, and tells all what it knows of it', async () => {
    const cache = await open(100);
    const leases = await Promise.all([cache.ensure('a', make('a')), lease(cache, 'a'), lease(cache, 'a')]);
    expect([made, leases[1].facts, leases[2].path]).toEqual([['a'], 'a', join(folder, 'f-a')]);
    expect(await names()).toEqual(['f-a']);
  });

  it('takes in what an earlier life left, in the order of its use, and nothing that is not what it was', async () => {
    const first = await open(100);
    for (const digest of ['a', 'b', 'c']) await first.ensure(digest, make(digest));
    await writeFile(join(folder, 'f-b', 'text'), 'x');
    await mkdir(join(folder, 't-left'));
    await mkdir(join(folder, 'other'));
    const second = await open(20);
    expect([await names(), faults]).toEqual([
      ['f-a', 'f-c', 'other'],
      ['folder b: damaged on disk, and removed: another text'],
    ]);
    (await lease(second, 'c')).release();
    await second.ensure('d', make('d'));
    expect([await names(), made]).toEqual([
      ['f-c', 'f-d', 'other'],
      ['a', 'b', 'c', 'd'],
    ]);
  });

  it('leaves nothing of one that cannot be made, which the next who needs it tries anew', async () => {
    const cache = await open(100);
    const broken: MakeFolder<string> = async (empty) => {
      await writeFile(join(empty, 'half'), '');
      throw new Error('out of order');
    };
    await expect(cache.lease('a', broken)).rejects.toThrow('out of order');
    expect(await names()).toEqual([]);
    expect((await lease(cache, 'a')).facts).toBe('a');
  });

  it('makes a damaged one anew under those who have it', async () => {
    const cache = await open(100);
    const { path } = await lease(cache, 'a');
    await writeFile(join(path, 'text'), 'x');
    check = async () => Promise.reject(new Error('other bytes'));
    await lease(cache, 'a');
    expect([await readFile(join(path, 'text'), 'utf8'), await names()]).toEqual(['a', ['f-a']]);
    expect(faults).toEqual(['folder a: damaged on disk, and made anew: other bytes']);
  });

  it('makes one anew that somebody removed, where nothing else is checked', async () => {
    check = undefined;
    const cache = await open(100);
    const { path } = await lease(cache, 'a');
    await rm(path, { recursive: true });
    await lease(cache, 'a');
    expect(await readFile(join(path, 'text'), 'utf8')).toBe('a');
    expect(faults).toEqual([expect.stringMatching(/^folder a: damaged on disk, and made anew: .*ENOENT/)]);
  });

  it('makes one anew where there is something that could neither be taken in nor removed', async () => {
    const cache = await open(100);
    // As if it had been refused at the start, and stayed behind.
    await mkdir(join(folder, 'f-a'));
    await writeFile(join(folder, 'f-a', 'other'), '');
    const { path } = await lease(cache, 'a');
    expect([await readdir(path), await names()]).toEqual([['text'], ['f-a']]);
  });

  it('leaves nothing of a damaged one when the new one cannot take its place', async () => {
    const cache = await open(100);
    await cache.ensure('a', make('a'));
    check = async () => Promise.reject(new Error('other bytes'));
    const nowhere: MakeFolder<string> = async (empty) => ({ path: join(empty, 'nowhere'), bytes: 10, facts: 'a' });
    await expect(cache.lease('a', nowhere)).rejects.toThrow('ENOENT');
    expect(await names()).toEqual([]);
  });

  it('never takes one away that somebody has, and does so once all have given it back, twice or once', async () => {
    const cache = await open(10);
    const leases = [await lease(cache, 'a'), await lease(cache, 'a')];
    leases[0]?.release();
    leases[0]?.release();
    await cache.ensure('b', make('b'));
    expect(await names()).toEqual(['f-a', 'f-b']);
    leases[1]?.release();
    await cache.ensure('c', make('c'));
    expect(await names()).toEqual(['f-c']);
  });

  it('never takes one away that somebody waits for', async () => {
    const cache = await open(10);
    await cache.ensure('a', make('a'));
    let looked = (): void => undefined;
    const looking = new Promise<void>((resolve) => (looked = resolve));
    check = () => looking;
    const waiting = lease(cache, 'a');
    await cache.ensure('b', make('b'));
    looked();
    expect(await readFile(join((await waiting).path, 'text'), 'utf8')).toBe('a');
    expect(made).toEqual(['a', 'b']);
  });

  it('takes one away that nobody got, so that a failure holds nothing', async () => {
    const cache = await open(10);
    await cache.ensure('a', make('a'));
    check = async () => Promise.reject(new Error('other bytes'));
    const broken = async (): Promise<never> => Promise.reject(new Error('out of order'));
    await expect(cache.lease('a', broken)).rejects.toThrow('out of order');
    await cache.ensure('b', make('b'));
    expect(await names()).toEqual(['f-b']);
  });

  it('gives one that is just being taken away to who comes for it at that moment, whole', async () => {
    const cache = await open(10);
    await cache.ensure('a', make('a'));
    const asked: Array<ReturnType<typeof lease>> = [];
    onName = () => {
      // Each that is made takes two names; the fifth is that of `a` on its way out.
      if (ids === 4) queueMicrotask(() => asked.push(lease(cache, 'a')));
    };
    await cache.ensure('b', make('b'));
    const [held] = await Promise.all(asked);
    await cache.ensure('c', make('c'));
    expect([made, await names()]).toEqual([
      ['a', 'b', 'a', 'c'],
      ['f-a', 'f-c'],
    ]);
    expect(await readFile(join(held?.path ?? '', 'text'), 'utf8')).toBe('a');
  });
});
