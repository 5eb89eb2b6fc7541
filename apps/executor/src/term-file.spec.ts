import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TermFile } from './term-file.js';

describe('the highest term', () => {
  let folder: string;
  beforeEach(() => (folder = fs.mkdtempSync(join(tmpdir(), 'das-term-'))));
  afterEach(() => {
    jest.restoreAllMocks();
    fs.rmSync(folder, { recursive: true, force: true });
  });
  const path = (): string => join(folder, 'highest-term');

  it('is kept over a restart, also when it falls because the store is a new one', () => {
    expect(new TermFile(folder).read()).toBe(0);
    for (const term of [7, 12, 3]) {
      new TermFile(folder).write(term);
      expect(new TermFile(folder).read()).toBe(term);
    }
    expect([fs.readdirSync(folder), fs.statSync(path()).mode & 0o777]).toEqual([['highest-term'], 0o600]);
  });

  it('is on disk before it counts: file, then name, then folder', () => {
    const did: string[] = [];
    const kindOf = (file: number): string => (fs.fstatSync(file).isDirectory() ? 'folder' : 'file');
    const [sync, rename] = [fs.fsyncSync, fs.renameSync];
    jest.spyOn(fs, 'fsyncSync').mockImplementation((file) => (did.push(`sync ${kindOf(file)}`), sync(file)));
    jest.spyOn(fs, 'renameSync').mockImplementation((from, to) => (did.push('rename'), rename(from, to)));
    new TermFile(folder).write(5);
    expect(did).toEqual(['sync file', 'rename', 'sync folder']);
  });

  it('refuses nothing that is valid when its file is torn, at whatever length, or holds anything else', () => {
    const file = new TermFile(folder);
    file.write(9_081);
    for (let length = 0; length < 4; length += 1) {
      fs.writeFileSync(path(), '9081'.slice(0, length));
      expect(file.read()).toBeLessThan(9_081);
    }
    for (const odd of ['\0\0\0\0', '-3', '1e9', '99999999999999999999', 'Infinity', '0x10', ' ']) {
      fs.writeFileSync(path(), odd);
      expect([odd, file.read()]).toEqual([odd, 0]);
    }
  });

  it('stays as it was when the disk refuses another', () => {
    const file = new TermFile(folder);
    file.write(4);
    jest.spyOn(fs, 'fsyncSync').mockImplementation(() => {
      throw new Error('no space left on device');
    });
    expect(() => file.write(5)).toThrow('no space left');
    expect(file.read()).toBe(4);
    jest.restoreAllMocks();
    file.write(6);
    expect(file.read()).toBe(6);
  });
});
