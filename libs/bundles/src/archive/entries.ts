import type { GivenFile } from '../bundle.js';
import { linkTarget } from '../core/links.js';
import { InvalidBundleError, checkBytes, checkCount, shown } from '../core/manifest.js';
import { normalPath, pathFault } from '../core/paths.js';

/** What an archive has, as it is read: bounded before anything is kept. */
export class Entries {
  readonly #files = new Map<string, GivenFile>();
  readonly #links = new Map<string, string>();
  #bytes = 0;

  /** A name as the bundle has it. @throws InvalidBundleError. */
  path(given: string): string {
    const path = normalPath(given);
    const fault = pathFault(path);
    if (fault !== undefined) throw new InvalidBundleError(`${shown(given)}: ${fault}`);
    if (this.#files.has(path) || this.#links.has(path))
      throw new InvalidBundleError(`${shown(path)} is there twice`, 'each path once');
    checkCount(this.#files.size + this.#links.size + 1);
    return path;
  }

  /** So many bytes are about to be read. @throws InvalidBundleError past the bound. */
  reserve(bytes: number): void {
    this.#bytes += bytes;
    checkBytes(this.#bytes);
  }

  file(path: string, executable: boolean, data: Uint8Array): void {
    this.#files.set(path, { path, executable, data });
  }

  link(path: string, target: string): void {
    this.#links.set(path, target);
  }

  /** Links have become the files they stand for. @throws InvalidBundleError. */
  all(): GivenFile[] {
    const paths = new Set(this.#files.keys());
    const resolved = [...this.#links.keys()].flatMap((path) => {
      const file = this.#files.get(linkTarget(path, this.#links, paths));
      if (file === undefined) return [];
      this.reserve(file.data.length);
      return [{ ...file, path }];
    });
    return [...this.#files.values(), ...resolved];
  }
}
