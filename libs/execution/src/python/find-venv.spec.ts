import { execFileSync } from 'node:child_process';
import { chmod, mkdir, rename, rm, symlink, unlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { NotStartedError } from '../ports/errors.js';
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

  it('names the installation that is to be permitted, not the environment, when its interpreter leads there', async () => {
    await venvs.write('permitted/green/pyvenv.cfg', 'home = /opt/python/3.12/bin\nversion = 3.12\n');
    for (const name of ['python', 'python3']) {
      await rm(join(green, 'bin', name));
      await symlink('/opt/python/3.12/bin/python3.12', join(green, 'bin', name));
    }
    expect((await refused(green))[2]).toContain('DAS_SCRIPT_READS: add /opt/python/3.12, ');
  });

  describe('whose pyvenv.cfg', () => {
    const config = (): string => join(green, 'pyvenv.cfg');
    const leadsTo = async (target: string): Promise<void> => {
      await unlink(config());
      await symlink(target, config());
    };

    it('is a pipe is refused, and not waited for', async () => {
      await unlink(config());
      execFileSync('mkfifo', [config()]);
      const words = `${green} is no virtual environment: its pyvenv.cfg is no file`;
      expect((await refused(green))[1]).toBe(words);
      readable = [venvs.root];
      expect((await refused(green))[1]).toBe(words);
    });

    it.each([
      ['is a folder', (path: string) => mkdir(path)],
      ['is a device', (path: string) => symlink('/dev/null', path)],
    ])('%s is refused', async (_, make) => {
      await unlink(config());
      await make(config());
      await expect(findVenv(green, undefined)).rejects.toThrow('its pyvenv.cfg is no file');
    });

    it('leads to where scripts may not read is refused in the same words, whether anything is there or not', async () => {
      await writeFile(join(venvs.root, 'secret'), 'home = /root/secret\n');
      const answers = [];
      for (const name of ['secret', 'none']) {
        await leadsTo(join(venvs.root, name));
        answers.push(await refused(green));
      }
      expect(answers[0]?.[1]).toBe(`scripts may not read the pyvenv.cfg of the virtual environment ${green}`);
      expect(answers[0]).toEqual(answers[1]);
      expect(String(answers[0])).not.toContain('secret');
    });

    it('is large is read as far as it counts, in no time', async () => {
      await writeFile(config(), `home${' '.repeat(60_000)}x\nHome = /usr/none\n`);
      const startMs = performance.now();
      expect((await refused(green))[1]).toContain('is not there: /usr/none');
      expect(performance.now() - startMs).toBeLessThan(500);
      await writeFile(config(), `${'#'.repeat(64 * 1024)}\nhome = /usr/none\n`);
      expect(await findVenv(green, readable)).toMatchObject({ folder: green });
    });

    it.each(['/usr/\0', `/${'x'.repeat(5_000)}`, `/usr/${'x'.repeat(300)}`])(
      'names no path as home is refused',
      async (home) => {
        await writeFile(config(), `home = ${home}\n`);
        expect((await refused(green))[0]).toBe('CODE_VENV');
      },
    );

    it('cannot be read now may be read later', async () => {
      // The first page of a process's memory is never there: the read fails with EIO.
      await leadsTo('/proc/self/mem');
      await expect(findVenv(green, undefined)).rejects.toThrow(NotStartedError);
      await expect(findVenv(green, undefined)).rejects.toThrow('pyvenv.cfg cannot be looked at now (EIO)');
    });
  });

  describe('where the node may not look', () => {
    const own = process.geteuid?.() ?? 0;
    beforeEach(async () => {
      await chmod(join(venvs.root, 'permitted'), 0);
      process.seteuid?.(own === 0 ? 65_534 : own);
    });
    afterEach(async () => {
      process.seteuid?.(own);
      await chmod(join(venvs.root, 'permitted'), 0o755);
    });

    it('may be seen later, if scripts may read there', async () => {
      await expect(findVenv(green, readable)).rejects.toThrow(NotStartedError);
      await expect(findVenv(green, undefined)).rejects.toThrow(`${green} cannot be looked at now (EACCES)`);
    });

    it('is refused as ever, if they may not', async () => {
      readable = system;
      expect((await refused(green))[1]).toBe(`scripts may not read the virtual environment ${green}`);
    });
  });
});
