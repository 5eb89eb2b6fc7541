import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { replaceFile } from './replace-file.js';

describe('replacing a file', () => {
  let folder: string;
  beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'das-replace-'))));
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('leaves the new text, for the owner alone, and nothing beside it', async () => {
    const path = join(folder, 'secret');
    await writeFile(path, 'old', { mode: 0o644 });
    await writeFile(`${path}.new`, 'of an earlier crash', { mode: 0o666 });
    await replaceFile(path, 'new');
    expect([await readFile(path, 'utf8'), (await stat(path)).mode & 0o777]).toEqual(['new', 0o600]);
    expect(await readdir(folder)).toEqual(['secret']);
  });

  it('leaves the old text when it cannot be done', async () => {
    await expect(replaceFile(join(folder, 'missing', 'secret'), 'new')).rejects.toThrow('ENOENT');
    expect(await readdir(folder)).toEqual([]);
  });
});
