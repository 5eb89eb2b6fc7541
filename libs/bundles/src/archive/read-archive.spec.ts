import { execFileSync } from 'node:child_process';
import { chmod, link, mkdtemp, mkdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type ZipOptions, zipSync } from 'fflate';
import { Header, create } from 'tar';
import { type Bundle, bundleOf, packChunks } from '../bundle.js';
import { listFolder, readFiles } from '../folder/read-folder.js';
import { archiveKind, readArchive } from './read-archive.js';

const unix = (mode: number): ZipOptions => ({ os: 3, attrs: (mode << 16) >>> 0 });
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

const entry = (path: string, data: string, more: object = {}): Buffer => {
  const header = new Header({ path, mode: 0o644, size: data.length, type: 'File', mtime: new Date(0), ...more });
  const head = Buffer.alloc(512);
  header.encode(head, 0);
  return Buffer.concat([head, Buffer.from(data), Buffer.alloc((512 - (data.length % 512)) % 512)]);
};
const tarOf = (...entries: Buffer[]): Buffer => Buffer.concat([...entries, Buffer.alloc(1024)]);

/** The same three files in every form: what they come to on every machine, computed by another program (hashlib) from the format's description. */
const golden = '1d11c263cdef1ce8a8ed1fea0d24880dd724387103049d3d8be8e93f123774eb';

describe('the digest of a bundle', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'das-bundle-'));
    await mkdir(join(folder, 'lib'));
    await writeFile(join(folder, 'main.py'), 'import lib.größe\n');
    await writeFile(join(folder, 'lib', 'größe.py'), 'x = 1\n');
    await writeFile(join(folder, 'tool.sh'), '#!/bin/sh\n');
    await chmod(join(folder, 'tool.sh'), 0o755);
  });
  afterEach(() => rm(folder, { recursive: true }));
  const ofFolder = async (): Promise<Bundle> => bundleOf(await readFiles(await listFolder(folder)));

  it('is the same from a folder, a tar, a compressed tar, a zip and a pack, whatever their order and times', async () => {
    const bundle = await ofFolder();
    expect(bundle.digest).toBe(golden);
    await utimes(join(folder, 'main.py'), 1, 1);
    const names = ['tool.sh', 'main.py', 'lib'];
    await create({ cwd: folder, file: join(folder, 'a.tar') }, names);
    await create({ cwd: folder, file: join(folder, 'a.tgz'), gzip: true, portable: true, prefix: './' }, names);
    const gnu = execFileSync('tar', ['-C', folder, '-cz', '--exclude=*.tar', '--exclude=*.tgz', '.']);
    const zip = zipSync({
      'tool.sh': [bytes('#!/bin/sh\n'), unix(0o100755)],
      'lib/größe.py': [bytes('x = 1\n'), { level: 0 }],
      'lib/': bytes(''),
      'main.py': bytes('import lib.größe\n'),
    });
    const archives = [zip, gnu, Buffer.concat([...packChunks(bundle)])];
    for (const name of ['a.tar', 'a.tgz']) archives.push(await readFile(join(folder, name)));
    for (const archive of archives) expect((await readArchive(archive)).digest).toBe(golden);
  });

  it('changes with a name, a mode and a byte', async () => {
    const file = { path: 'a', executable: false, data: bytes('1') };
    const variants = [file, { ...file, path: 'b' }, { ...file, executable: true }, { ...file, data: bytes('2') }];
    expect(new Set(variants.map((one) => bundleOf([one]).digest)).size).toBe(4);
  });

  it('takes both spellings of an accent for one', () => {
    const [composed, apart] = ['gr\u00f6\u00dfe', 'gro\u0308\u00dfe'].map((path) =>
      bundleOf([{ path, executable: false, data: bytes('1') }]),
    );
    expect(composed?.digest).toBe(apart?.digest);
  });

  it('follows links to files inside, and refuses others', async () => {
    await symlink('../main.py', join(folder, 'lib', 'again.py'));
    await link(join(folder, 'main.py'), join(folder, 'hard.py'));
    await create({ cwd: folder, file: join(folder, 'a.tar') }, ['main.py', 'hard.py', 'lib']);
    const { files } = await readArchive(await readFile(join(folder, 'a.tar')));
    expect(files.map(({ path }) => path)).toEqual(['hard.py', 'lib/again.py', 'lib/größe.py', 'main.py']);
    expect((await ofFolder()).files.map(({ path }) => path)).toContain('lib/again.py');
    await symlink('/etc/passwd', join(folder, 'secret'));
    await expect(ofFolder()).rejects.toThrow('the link "secret" leads out of the folder');
    await writeFile(join(folder, '.dasignore'), 'secret\n');
    expect((await ofFolder()).files.map(({ path }) => path)).not.toContain('.dasignore');
  });

  it('leaves out what .dasignore says, and what is made anew', async () => {
    await mkdir(join(folder, '__pycache__'));
    await writeFile(join(folder, '__pycache__', 'x.pyc'), '');
    await mkdir(join(folder, 'venv'));
    await writeFile(join(folder, 'venv', 'kept.py'), '');
    await writeFile(join(folder, '.dasignore'), 'lib/\n!venv\n*.sh\n');
    expect((await ofFolder()).files.map(({ path }) => path)).toEqual(['main.py', 'venv/kept.py']);
  });
});

describe('an archive', () => {
  it.each([
    ['a file outside', tarOf(entry('../x.py', 'a')), 'leaves the bundle'],
    ['an absolute path', tarOf(entry('/x.py', 'a')), 'absolute'],
    ['a device', tarOf(entry('x', '', { type: 'CharacterDevice' })), 'is no file (CharacterDevice)'],
    ['a pipe', tarOf(entry('x', '', { type: 'FIFO' })), 'is no file'],
    ['a path twice', tarOf(entry('x', 'a'), entry('./x', 'b')), 'twice'],
    ['a link outside', tarOf(entry('x', '', { type: 'SymbolicLink', linkpath: '../../etc' })), 'leads out'],
    ['a link to nothing', tarOf(entry('x', '', { type: 'SymbolicLink', linkpath: 'y' })), 'no file of the bundle'],
    ['too many bytes', tarOf(entry('x', '', { size: 65 * 1024 * 1024 })), '64 MiB'],
    ['a zip file outside', zipSync({ '../x': bytes('') }), 'leaves the bundle'],
    ['a zip link outside', zipSync({ x: [bytes('/etc/passwd'), unix(0o120777)] }), 'leads out'],
    ['a zip device', zipSync({ x: [bytes(''), unix(0o020666)] }), 'is no file'],
    ['a damaged zip', zipSync({ x: bytes('abc'.repeat(100)) }).subarray(0, 60), 'cannot be read'],
    ['nothing', zipSync({}), 'no file'],
    ['text', bytes('def map(item): return item\n'.repeat(30)), 'no archive'],
    ['a damaged tgz', gzipSync(Buffer.alloc(9_000, 'x')).subarray(0, 30), 'the archive cannot be read'],
  ])('with %s is refused', async (_, archive, why) => {
    await expect(readArchive(archive)).rejects.toThrow(why);
  });

  it('that unpacks without end is refused before it is unpacked', async () => {
    const bomb = gzipSync(Buffer.concat([entry('x', '', { size: 2 ** 30 }), Buffer.alloc(2 ** 25)]));
    await expect(readArchive(bomb)).rejects.toThrow('64 MiB');
    const lying = zipSync({ x: new Uint8Array(2 ** 20) });
    const at = Buffer.from(lying).indexOf(Buffer.from([0x50, 0x4b, 1, 2]));
    Buffer.from(lying.buffer).writeUInt32LE(10, at + 24);
    await expect(readArchive(lying)).rejects.toThrow('is damaged');
  });

  it('is known by its first bytes', () => {
    expect(archiveKind(bytes('PKs are fine in a script'))).toBeUndefined();
    expect(archiveKind(zipSync({ x: bytes('') }))).toBe('zip');
  });
});
