import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { venvOf } from './venv.js';

describe('--venv', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'das-venv-'));
    await mkdir(join(folder, '.venv'));
    await writeFile(join(folder, '.venv', 'pyvenv.cfg'), '');
    await mkdir(join(folder, 'lib'));
    await writeFile(join(folder, 'file'), '');
  });
  afterEach(() => rm(folder, { recursive: true }));

  it.each(['.venv', './.venv/', 'lib/../.venv'])(
    'is an absolute path, whichever way it is written: %s',
    async (given) => {
      expect(await venvOf(given, folder)).toBe(join(folder, '.venv'));
    },
  );

  it('may be one that only the nodes have', async () => {
    expect(await venvOf('/srv/only-there', folder)).toBe('/srv/only-there');
  });

  it.each(['.venv', 'lib'])('may be one that only the nodes may look into: %s', async (given) => {
    const own = process.geteuid?.() ?? 0;
    await chmod(folder, 0o755);
    await chmod(join(folder, given), 0);
    process.seteuid?.(own === 0 ? 65_534 : own);
    try {
      expect(await venvOf(given, folder)).toBe(join(folder, given));
    } finally {
      process.seteuid?.(own);
      await chmod(join(folder, given), 0o755);
    }
  });

  it.each(['lib', 'file', '.'])('is refused when it is here, and none: %s', async (given) => {
    await expect(venvOf(given, folder)).rejects.toMatchObject({
      message: expect.stringContaining(`${given} is no virtual environment`),
    });
  });

  it.each(['/', '/a\nb', `/${'x'.repeat(500)}`])('is refused when no node could have such a path', async (given) => {
    await expect(venvOf(given, folder)).rejects.toThrow('cannot be a virtual environment');
  });
});
