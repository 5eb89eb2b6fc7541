import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A folder of real virtual environments that every account can read, for tests. */
export class VenvFolder {
  private constructor(readonly root: string) {}

  static async make(): Promise<VenvFolder> {
    const root = await mkdtemp(join(tmpdir(), 'das-venvs-'));
    await chmod(root, 0o755);
    return new VenvFolder(root);
  }

  /** With a package `colours`, whose `NAME` is the name of the environment. */
  async venv(name: string): Promise<string> {
    const folder = join(this.root, name);
    await run('/usr/bin/python3', ['-m', 'venv', '--without-pip', folder]);
    const [version = ''] = await readdir(join(folder, 'lib'));
    await this.write(
      join(name, 'lib', version, 'site-packages', 'colours', '__init__.py'),
      `NAME = '${basename(name)}'\n`,
    );
    return folder;
  }

  /** A file in it, whatever the umask is. */
  async write(path: string, text: string, mode = 0o644): Promise<string> {
    const file = join(this.root, path);
    await mkdir(dirname(file), { recursive: true });
    await rm(file, { force: true });
    await writeFile(file, text);
    await chmod(file, mode);
    return file;
  }

  async close(): Promise<void> {
    await rm(this.root, { recursive: true, force: true });
  }
}
