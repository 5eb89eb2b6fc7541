import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import { limits } from '@das/contracts';
import { UsageError } from '../core/parse.js';
import { findInput, listFiles } from './files.js';
import { openInput } from './input.js';

describe('input from files', () => {
  let cwd: string;
  beforeEach(() => {
    cwd = mkdtempSync(join(tmpdir(), 'das-input-'));
    mkdirSync(join(cwd, 'data/sub'), { recursive: true });
    writeFileSync(join(cwd, 'data/b.txt'), 'beta\n');
    writeFileSync(join(cwd, 'data/a.txt'), 'älpha "quoted"\n');
    writeFileSync(join(cwd, 'data/sub/c.bin'), Buffer.from([0xff, 0x00, 0xfe]));
    writeFileSync(join(cwd, 'data/.hidden'), 'no');
    writeFileSync(join(cwd, 'one.txt'), 'x\ny\n');
  });
  afterEach(() => rmSync(cwd, { recursive: true, force: true }));

  const open = (path: string, format?: 'files' | 'lines') =>
    openInput(path, format, { cwd, stdin: Readable.from(['1\n', '2\n']) });
  const read = async (path: string, format?: 'files' | 'lines') => {
    const upload = await open(path, format);
    const lines = (await buffer(Readable.from(upload.body))).toString().trimEnd().split('\n');
    return { format: upload.format, lines };
  };

  it('gives one item per file of a folder, by name, with its text or its bytes', async () => {
    const { format, lines } = await read('data');
    expect(format).toBe('ndjson');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      { name: 'a.txt', text: 'älpha "quoted"\n' },
      { name: 'b.txt', text: 'beta\n' },
      { name: 'sub/c.bin', base64: '/wD+' },
    ]);
  });

  it('gives the files that a pattern matches, named from its fixed part on', async () => {
    const { lines } = await read('data/**/*.txt');
    expect(lines.map((line) => (JSON.parse(line) as { name: string }).name)).toEqual(['a.txt', 'b.txt']);
  });

  it('takes one file as one item when asked', async () => {
    expect((await read('one.txt', 'files')).lines).toEqual(['{"name":"one.txt","text":"x\\ny\\n"}']);
  });

  it('hands on lines and standard input as they are', async () => {
    expect(await read('one.txt')).toEqual({ format: 'lines', lines: ['x', 'y'] });
    expect(await read('-')).toEqual({ format: 'ndjson', lines: ['1', '2'] });
  });

  it('follows a link to a file, and none to a folder', async () => {
    symlinkSync('a.txt', join(cwd, 'data/link.txt'));
    symlinkSync('.', join(cwd, 'data/loop'));
    expect((await listFiles(join(cwd, 'data'), 'folder')).map(({ name }) => name)).toEqual([
      'a.txt',
      'b.txt',
      'link.txt',
      'sub/c.bin',
    ]);
  });

  it('names the file that is too large for an item', async () => {
    writeFileSync(join(cwd, 'data/big.txt'), 'x'.repeat(limits.itemBytesMax));
    await expect(read('data')).rejects.toThrow(/big\.txt is too large for one item/);
  });

  it('says so when there is nothing at the path', async () => {
    await expect(open('nowhere')).rejects.toThrow(UsageError);
    await expect(open('data/*.nix')).rejects.toThrow(UsageError);
    expect(await findInput(join(cwd, 'data/*.nix'))).toBe('nothing');
  });
});
