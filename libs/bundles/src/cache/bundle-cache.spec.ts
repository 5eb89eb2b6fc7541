import { chmod, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { limits } from '@das/contracts';
import type { Clock } from '@das/kernel';
import { type Bundle, bundleOf, packChunks } from '../bundle.js';
import { BundleCache } from './bundle-cache.js';

const clock = { now: () => 1_700_000_000_000 } as unknown as Clock;
const bundle = (text: string, more: Record<string, string | Uint8Array> = {}): Bundle =>
  bundleOf(
    Object.entries({ 'main.py': text, 'pkg/mod.py': 'x = 1\n', ...more }).map(([path, data]) => ({
      ...{ path, executable: path.endsWith('.sh') },
      data: Buffer.from(data),
    })),
  );

describe('the bundles of a node', () => {
  let folder: string;
  let stored: Map<string, Uint8Array[]>;
  let fetched: string[];
  let faults: string[];
  let ids: number;
  const store = (one: Bundle): string => {
    stored.set(one.digest, [...packChunks(one)]);
    return one.digest;
  };
  const open = async (bytesMax = 1_000_000): Promise<BundleCache> => {
    const cache = new BundleCache({
      ...{ folder, bytesMax, clock, newId: () => `id${(ids += 1)}`, onFault: (message) => void faults.push(message) },
      fetch: async (digest, chunk) => {
        fetched.push(`${digest.slice(0, 6)}/${chunk}`);
        const chunks = stored.get(digest) ?? [];
        return { found: chunk < chunks.length, chunks: chunks.length, raw: chunks[chunk] ?? new Uint8Array() };
      },
    });
    await cache.open();
    return cache;
  };
  const overwrite = async (path: string, text: string): Promise<void> => {
    await chmod(path, 0o644);
    await writeFile(path, text);
    await chmod(path, 0o444);
  };
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'das-cache-'));
    [stored, fetched, faults, ids] = [new Map(), [], [], 0];
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('are fetched once, however many ask at the same time, and read-only', async () => {
    const cache = await open();
    const digest = store(bundle('1', { 'run.sh': '#!', big: new Uint8Array(limits.pageBytesMax) }));
    const leases = await Promise.all(Array.from({ length: 10 }, () => cache.lease(digest)));
    expect(fetched).toHaveLength(2);
    const [{ folder: code }] = leases as [(typeof leases)[0]];
    expect(await readFile(join(code, 'pkg', 'mod.py'), 'utf8')).toBe('x = 1\n');
    const modes = await Promise.all(['', 'pkg', 'main.py', 'run.sh'].map((path) => stat(join(code, path))));
    expect(modes.map(({ mode }) => mode & 0o777)).toEqual([0o755, 0o755, 0o444, 0o555]);
    expect((await stat(folder)).mode & 0o777).toBe(0o711);
  });

  it('are found again after a restart, and what was not finished is removed', async () => {
    const digest = store(bundle('1'));
    await (await open()).ensure(digest);
    await writeFile(join(folder, 't-left'), '');
    const cache = await open();
    (await cache.lease(digest)).release();
    expect([fetched.length, faults]).toEqual([1, []]);
    expect(await readdir(folder)).toEqual([`b-${digest}`]);
  });

  it('are read whole at their first use after a start: a byte that changed is healed', async () => {
    const digest = store(bundle('1'));
    const path = join((await (await open()).lease(digest)).folder, 'main.py');
    await overwrite(path, '2');
    const lease = await (await open()).lease(digest);
    expect(await readFile(join(lease.folder, 'main.py'), 'utf8')).toBe('1');
    expect([fetched.length, faults.length]).toEqual([2, 1]);
  });

  it('are healed of a file that was added', async () => {
    const digest = store(bundle('1'));
    const cache = await open();
    const { folder: code } = await cache.lease(digest);
    await writeFile(join(code, 'pkg', 'json.py'), '');
    await cache.lease(digest);
    expect([await readdir(join(code, 'pkg')), faults.length]).toEqual([['mod.py'], 1]);
  });

  it('are healed while others use them, and are still not evicted', async () => {
    const [digest, other] = [store(bundle('1')), store(bundle('2'))];
    const cache = await open(8);
    const first = await cache.lease(digest);
    await overwrite(join(first.folder, 'main.py'), '3');
    const second = await cache.lease(digest);
    expect(await readFile(join(first.folder, 'main.py'), 'utf8')).toBe('1');
    second.release();
    second.release();
    (await cache.lease(other)).release();
    expect(await readFile(join(first.folder, 'main.py'), 'utf8')).toBe('1');
    first.release();
    await cache.ensure(store(bundle('4')));
    expect((await readdir(folder)).includes(`b-${digest}`)).toBe(false);
  });

  it('go when there is no room, used longest ago first, also across a restart', async () => {
    const digests = ['1', '2', '3'].map((text) => store(bundle(text)));
    const cache = await open(22);
    for (const digest of digests) await cache.ensure(digest);
    (await cache.lease(digests[0]!)).release();
    const { digest } = bundle('4');
    store(bundle('4'));
    await cache.ensure(digest);
    expect((await readdir(folder)).sort()).toEqual([`b-${digests[0]}`, `b-${digest}`, `b-${digests[2]}`].sort());
  });

  it('that the store lacks, or has damaged, are told in words, and leave nothing', async () => {
    const cache = await open();
    await expect(cache.lease('0'.repeat(64))).rejects.toMatchObject({ code: 'CODE_NOT_FOUND', retryable: false });
    const one = bundle('1');
    const pack = Buffer.concat([...packChunks(one)]);
    const wrong = [pack.subarray(0, -1), Buffer.concat([pack, pack]), Buffer.from('x'), Buffer.from(pack)];
    wrong[3]!.writeUInt8(pack.at(-1)! ^ 1, pack.length - 1);
    for (const chunks of wrong) {
      stored.set(one.digest, [chunks]);
      await expect(cache.lease(one.digest)).rejects.toMatchObject({ code: 'CODE_CORRUPT', retryable: false });
    }
    stored.set(one.digest, [...packChunks(bundle('2'))]);
    await expect(cache.lease(one.digest)).rejects.toThrow('its manifest is another');
    expect(await readdir(folder)).toEqual([]);
  });

  it('that could not be had are asked for again by the next who needs them', async () => {
    const cache = await open();
    const one = bundle('1');
    await expect(cache.lease(one.digest)).rejects.toThrow('does not have');
    store(one);
    expect((await cache.lease(one.digest)).files).toHaveLength(2);
  });
});
