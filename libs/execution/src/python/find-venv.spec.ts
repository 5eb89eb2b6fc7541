import { mkdir, rename, rm, symlink, unlink, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { VenvFolder } from '../testing/venvs.js';
import { findVenv } from './find-venv.js';

const system = ['/usr'];

describe('a virtual environment that a user names', () => {
  let venvs: VenvFolder;
  let green: string;
  let readable: string[];
  beforeEach(async () => {
    venvs = await VenvFolder.make();
    green = await venvs.venv('permitted/green');
    readable = [...system, join(venvs.root, 'permitted')];
  });
  afterEach(() => venvs.close());
  const refused = (folder: string) =>
    findVenv(folder, readable).then(
      () => [],
      (error: Error & { code: string; failure: string; hint: string }) => [error.failure, error.message, error.hint],
    );

  it('is found where scripts may read it, by its own interpreter', async () => {
    expect(await findVenv(green, readable)).toMatchObject({ folder: green, interpreter: join(green, 'bin/python3') });
    expect(await findVenv(green, undefined)).toMatchObject({ folder: green });
  });

  it('is another once it was made anew', async () => {
    const { key } = await findVenv(green, readable);
    expect((await findVenv(green, readable)).key).toBe(key);
    await utimes(join(green, 'pyvenv.cfg'), 1, 1);
    expect((await findVenv(green, readable)).key).not.toBe(key);
  });

  it('has the path that scripts see, whichever way leads there', async () => {
    const shown = join(venvs.root, 'shown');
    await symlink(join(venvs.root, 'permitted'), shown);
    readable = [...system, shown];
    await symlink(green, join(venvs.root, 'way'));
    const { folder } = await findVenv(join(venvs.root, 'way'), readable);
    expect(folder).toBe(join(shown, 'green'));
  });

  it.each([
    ['a folder beside the permitted one', 'permitted-not/green'],
    ['one that is not there', 'elsewhere/none'],
  ])('is refused where scripts may not read it, and whether it is there is not told: %s', async (_, name) => {
    const folder = join(venvs.root, name);
    if (name.endsWith('green')) await mkdir(join(venvs.root, 'permitted-not')).then(() => rename(green, folder));
    expect(await refused(folder)).toEqual([
      'CODE_VENV',
      `scripts may not read the virtual environment ${folder}`,
      `whoever runs the node permits it by DAS_SCRIPT_READS: add ${folder}, or a folder above it, and start the node again`,
    ]);
  });

  it.each([
    ['a link that leads out', '/etc'],
    ['one that leads out to nothing', '/root/none'],
    ['one that goes up again', '../../../etc/none'],
  ])('is refused by where its path leads, not by how it begins: %s', async (_, to) => {
    const folder = join(venvs.root, 'permitted', 'link');
    await symlink(to, folder);
    expect((await refused(folder))[1]).toBe(`scripts may not read the virtual environment ${folder}`);
  });

  it('is refused in words where it is none, or not there', async () => {
    const none = join(venvs.root, 'permitted', 'none');
    expect(await refused(none)).toEqual([
      'CODE_VENV',
      `there is no folder ${none}`,
      expect.stringContaining(`-m venv ${none}`),
    ]);
    await unlink(join(green, 'pyvenv.cfg'));
    expect((await refused(green))[1]).toBe(`${green} is no virtual environment: it has no pyvenv.cfg`);
  });

  it.each([
    ['is missing', '/usr/bin/python3.99', 'is not there: /usr/bin/python3.99'],
    ['is where scripts may not read', '/etc/passwd', 'may not read the Python that the virtual environment'],
    [
      'may be missing where scripts may not read',
      '/root/python3.99',
      'may not read the Python that the virtual environment',
    ],
  ])('is refused when the interpreter that it is made of %s', async (_, target, words) => {
    for (const name of ['python', 'python3']) {
      await rm(join(green, 'bin', name));
      await symlink(target, join(green, 'bin', name));
    }
    expect((await refused(green))[1]).toContain(words);
  });

  it.each([
    ['is missing', '/usr/none/bin', 'is not there: /usr/none/bin'],
    ['is where scripts may not read', '/root', 'may not read the Python that the virtual environment'],
  ])('is refused when the folder that it names as home %s', async (_, home, words) => {
    await venvs.write('permitted/green/pyvenv.cfg', `home = ${home}\nversion = 3.11\n`);
    expect((await refused(green))[1]).toContain(words);
  });
});
