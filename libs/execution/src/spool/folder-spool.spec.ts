import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readFile, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { SpoolWriteError, spoolName } from '../ports/spool-files.js';
import { spoolFilesContract } from '../ports/spool-files.contract.js';
import { headerBytes, rawBytesMax } from './file-format.js';
import { FolderSpool, tornFilesMax } from './folder-spool.js';

const run = promisify(execFile);
const root = process.getuid?.() === 0 && process.platform === 'linux';
const name = spoolName('job/1/map:0-16/1');

let home: string;
let folder: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'das-spool-'));
  folder = join(home, 'spool', 'node-1');
});
afterEach(() => rm(home, { recursive: true, force: true }));

spoolFilesContract('a folder', async () => ({
  files: new FolderSpool(folder),
  again: () => new FolderSpool(folder),
  damage: async (damaged) => {
    const path = join(folder, damaged);
    const whole = await readFile(path);
    await writeFile(path, Buffer.concat([whole.subarray(0, -1), Buffer.from([whole.at(-1)! ^ 1])]));
  },
}));

describe('a spool in a folder', () => {
  const file = { head: '{"attempt":1}', raw: [Buffer.from('1\n'), Buffer.from('22\n')] };
  const path = (): string => join(folder, name);
  /** The only file there, as a life of the spool finds it; it may be found torn only when it is read. */
  async function survives(): Promise<boolean> {
    const spool = new FolderSpool(folder);
    const { found, torn } = await spool.open();
    expect(found.length + torn.length).toBe(1);
    if (torn.length === 1) return false;
    return !('why' in (await spool.read(name)));
  }

  it('is for its account only', async () => {
    const mask = process.umask(0);
    try {
      await new FolderSpool(folder).write(name, file);
    } finally {
      process.umask(mask);
    }
    expect([(await stat(folder)).mode & 0o777, (await stat(path())).mode & 0o777]).toEqual([0o700, 0o600]);
  });

  it('knows a file that was cut, at whatever length', async () => {
    const spool = new FolderSpool(folder);
    const whole = await spool.write(name, file);
    expect(await survives()).toBe(true);
    for (let length = 0; length < whole; length += 1) {
      await spool.write(name, file);
      await truncate(path(), length);
      expect([length, (await new FolderSpool(folder).open()).found]).toEqual([length, []]);
      await rm(`${path()}.torn`);
    }
  });

  it('knows a file of which anything changed, was added or was cut', async () => {
    const spool = new FolderSpool(folder);
    await spool.open();
    const damages = fc.oneof(
      fc.record({ at: fc.nat(), flip: fc.integer({ min: 1, max: 255 }) }),
      fc.record({ added: fc.uint8Array({ minLength: 1, maxLength: 9 }) }),
      fc.record({ cut: fc.integer({ min: 1, max: 400 }) }),
    );
    const files = fc.record({ head: fc.json(), raw: fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 4 }) });
    await fc.assert(
      fc.asyncProperty(files, damages, async (written, damage) => {
        await spool.write(name, written);
        expect(await survives()).toBe(true);
        const bytes = await readFile(path());
        await writeFile(path(), damaged(bytes, damage));
        expect(await survives()).toBe(false);
        await rm(`${path()}.torn`);
      }),
      { numRuns: 60 },
    );
  });

  it('drops what was being written when its executor was killed', async () => {
    const spool = new FolderSpool(folder);
    await spool.write(name, file);
    await writeFile(join(folder, `${spoolName('job/1/map:16-32/1')}.new`), 'half of it');
    const others = ['notes.txt', 'notes.new', 'notes.torn'];
    for (const other of others) await writeFile(join(folder, other), 'of somebody else');
    for (let n = 0; n < tornFilesMax; n += 1) await writeFile(join(folder, spoolName(`job/1/x/${n}`) + '.torn'), '');
    expect((await new FolderSpool(folder).open()).found.map((found) => found.name)).toEqual([name]);
    expect((await readdir(folder)).filter((left) => !left.endsWith('.out.torn')).sort()).toEqual(
      [name, ...others].sort(),
    );
  });

  it('keeps a bounded number of torn files for people to look at', async () => {
    const spool = new FolderSpool(folder);
    await spool.open();
    for (let n = 0; n < tornFilesMax + 3; n += 1)
      await writeFile(join(folder, spoolName(`job/1/map:${n}-${n + 1}/1`)), 'x');
    expect((await spool.open()).torn).toHaveLength(tornFilesMax + 3);
    expect(await readdir(folder)).toHaveLength(tornFilesMax);
  });

  it('takes a folder under the name of a file for torn', async () => {
    await run('mkdir', ['-p', path()]);
    const { found, torn } = await new FolderSpool(folder).open();
    expect([found, torn.map((each) => each.name)]).toEqual([[], [name]]);
  });

  it('refuses what it could not read again', async () => {
    const raw = Array.from({ length: 129 }, () => new Uint8Array(rawBytesMax / 128));
    await expect(new FolderSpool(folder).write(name, { head: '{}', raw })).rejects.toBeInstanceOf(SpoolWriteError);
    expect(await readdir(folder).catch(() => [])).toEqual([]);
  });

  it('says so when it may not write, leaves nothing, and goes on once it may', async () => {
    await writeFile(join(home, 'spool'), 'a file where its folder should be');
    const spool = new FolderSpool(folder);
    await expect(spool.write(name, file)).rejects.toMatchObject({ name: 'SpoolWriteError', noSpace: false });
    await rm(join(home, 'spool'));
    expect(await spool.write(name, file)).toBe(headerBytes + file.head.length + 5);
  });

  (root ? it : it.skip)('tells a full disk, leaves nothing of the output, and goes on once there is room', async () => {
    await chmod(home, 0o700);
    await run('mkdir', ['-p', folder]);
    await run('mount', ['-t', 'tmpfs', '-o', 'size=256k,mode=0700', 'das-spool-test', folder]);
    try {
      const spool = new FolderSpool(folder);
      await spool.open();
      await writeFile(join(folder, 'other'), new Uint8Array(200 * 1024));
      const large = { head: '{}', raw: [new Uint8Array(100 * 1024)] };
      await expect(spool.write(name, large)).rejects.toMatchObject({ name: 'SpoolWriteError', noSpace: true });
      expect(await readdir(folder)).toEqual(['other']);
      await rm(join(folder, 'other'));
      await spool.write(name, large);
      expect(await survives()).toBe(true);
    } finally {
      await run('umount', [folder]);
    }
  });
});

type Damage = { at: number; flip: number } | { added: Uint8Array } | { cut: number };

function damaged(bytes: Buffer, damage: Damage): Buffer {
  if ('added' in damage) return Buffer.concat([bytes, damage.added]);
  if ('cut' in damage) return bytes.subarray(0, Math.max(bytes.length - damage.cut, 0));
  const at = damage.at % bytes.length;
  const changed = Buffer.from(bytes);
  changed[at] = changed[at]! ^ damage.flip;
  return changed;
}
