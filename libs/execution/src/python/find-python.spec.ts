import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeClock } from '@das/testing';
import { findPython, reasonOf } from './find-python.js';

describe('finding an interpreter', () => {
  const clock = new FakeClock();
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'das-python-'));
    await chmod(folder, 0o755);
  });
  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
    expect(clock.pending).toBe(0);
  });
  const script = async (name: string, text: string): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    return path;
  };

  it('takes the one on the path, and runs what stands behind it', async () => {
    await script('python3', 'exec /usr/bin/python3 "$@"');
    const found = await findPython({ chosen: undefined, path: folder, uid: undefined, clock });
    expect(found).toEqual({
      path: '/usr/bin/python3',
      version: expect.stringMatching(/^3\.\d+\.\d+$/),
      prefixes: ['/usr'],
    });
  });

  it('goes on to the next when one is broken', async () => {
    await script('python3', 'exit 1');
    const { path } = await findPython({ chosen: undefined, path: folder, uid: undefined, clock });
    expect(path).toBe('/usr/bin/python3');
  });

  it('tries nothing but the chosen one, and says what is wrong with it', async () => {
    const find = (chosen: string): Promise<unknown> => findPython({ chosen, path: '/usr/bin', uid: undefined, clock });
    await expect(find(join(folder, 'none'))).rejects.toThrow(/none: not found/);
    await expect(find(await script('old', 'echo /usr/bin/python3; echo 3.8.1'))).rejects.toThrow(
      /old: is Python 3\.8\.1/,
    );
    await expect(find(await script('bad', 'exit 3'))).rejects.toMatchObject({
      code: 'EXECUTION_NO_PYTHON',
      message: expect.stringContaining('bad: exit code 3'),
      hint: expect.stringContaining('DAS_PYTHON'),
    });
  });

  it.each([
    ['EACCES', 'cannot be reached'],
    ['EPERM', 'start it as an ordinary account'],
    ['ENOENT', 'not found'],
    ['ENOMEM', 'spawn ENOMEM'],
  ])('says what a start that was refused means: %s', (code, words) => {
    expect(reasonOf(Object.assign(new Error(`spawn ${code}`), { code }))).toContain(words);
  });
});
