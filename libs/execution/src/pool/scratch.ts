import { chmod, chown, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { socketPrefix } from '../python/nursery-sockets.js';

const prefix = 'w-';

/** Folders of workers below one root: private, and gone with their worker. */
export class Scratch {
  #opening: Promise<void> | undefined;

  constructor(readonly root: string) {}

  /** Makes the root, and removes what a killed executor and its warden left; once, however many pools share it. */
  open(): Promise<void> {
    return (this.#opening ??= this.#tidy());
  }

  async #tidy(): Promise<void> {
    await mkdir(this.root, { recursive: true });
    const left = (await readdir(this.root)).filter((name) => name.startsWith(prefix) || name.startsWith(socketPrefix));
    for (const name of left) await rm(join(this.root, name), { recursive: true, force: true });
  }

  /** @throws the system's error; no folder is left. */
  async folder(name: string, uid: number | null): Promise<string> {
    const folder = join(this.root, `${prefix}${name}`);
    await mkdir(folder, { mode: 0o700 });
    try {
      // The process's umask may have taken bits away.
      await chmod(folder, 0o700);
      if (uid !== null) await chown(folder, uid, uid);
      return folder;
    } catch (error) {
      await this.remove(folder);
      throw error;
    }
  }

  async remove(folder: string): Promise<void> {
    await rm(folder, { recursive: true, force: true });
  }
}
