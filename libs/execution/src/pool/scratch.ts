import { chmod, chown, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

const prefix = 'w-';

/** Folders of workers below one root: private, and gone with their worker. */
export class Scratch {
  constructor(readonly root: string) {}

  /** Makes the root, and removes what a killed executor and its warden left. */
  async open(): Promise<void> {
    await mkdir(this.root, { recursive: true });
    const left = (await readdir(this.root)).filter((name) => name.startsWith(prefix));
    for (const name of left) await rm(join(this.root, name), { recursive: true, force: true });
  }

  async folder(name: string, uid: number | null): Promise<string> {
    const folder = join(this.root, `${prefix}${name}`);
    await mkdir(folder, { mode: 0o700 });
    // The process's umask may have taken bits away.
    await chmod(folder, 0o700);
    if (uid !== null) await chown(folder, uid, uid);
    return folder;
  }

  async remove(folder: string): Promise<void> {
    await rm(folder, { recursive: true, force: true });
  }
}
