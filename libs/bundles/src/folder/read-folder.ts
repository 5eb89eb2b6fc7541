import { readFile, readdir, realpath, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import type { Ignore } from 'ignore';
import type { GivenFile } from '../bundle.js';
import { InvalidBundleError, checkBytes, checkCount, shown } from '../core/manifest.js';
import { ignoreFile, rulesOf } from './rules.js';

/** Folders within folders; deeper ones have no path that a bundle takes. */
const depthMax = 64;
/** Names looked at, ignored ones too: a folder that has more is hardly the one that was meant. */
const namesMax = 100_000;

/** Where a file of a bundle lies, and what it is called in it. */
export interface FoundFile {
  readonly path: string;
  readonly full: string;
}

/** The files of a folder that its rules leave in, in no order. @throws InvalidBundleError; the system's error. */
export async function listFolder(root: string): Promise<FoundFile[]> {
  const text = await readFile(join(root, ignoreFile), 'utf8').catch(() => undefined);
  const walk = new Walk(root, await realpath(root), rulesOf(text));
  await walk.into('', 0);
  return walk.found;
}

class Walk {
  readonly found: FoundFile[] = [];
  #names = 0;

  constructor(
    private readonly root: string,
    private readonly real: string,
    private readonly rules: Ignore,
  ) {}

  async into(below: string, depth: number): Promise<void> {
    if (depth > depthMax) throw new InvalidBundleError(`${shown(below)} lies too deep`);
    for (const entry of await readdir(join(this.root, below), { withFileTypes: true })) {
      if ((this.#names += 1) > namesMax)
        throw new InvalidBundleError(`${this.root} has more than ${namesMax} names`, 'a smaller folder');
      const path = below === '' ? entry.name : `${below}/${entry.name}`;
      if (this.rules.ignores(entry.isDirectory() ? `${path}/` : path)) continue;
      if (entry.isDirectory()) await this.into(path, depth + 1);
      else if (entry.isSymbolicLink()) await this.#link(path);
      else if (entry.isFile()) this.#add(path);
      else throw new InvalidBundleError(`${shown(path)} is no file (a device, pipe or socket)`, leaveOut);
    }
  }

  async #link(path: string): Promise<void> {
    const target = await realpath(join(this.root, path)).catch(() => undefined);
    if (target === undefined) throw new InvalidBundleError(`the link ${shown(path)} leads nowhere`, leaveOut);
    const inside = relative(this.real, target);
    if (inside === '..' || inside.startsWith(`..${sep}`) || inside.startsWith(sep))
      throw new InvalidBundleError(`the link ${shown(path)} leads out of the folder`, leaveOut);
    if (!(await stat(target)).isFile())
      throw new InvalidBundleError(`the link ${shown(path)} leads to a folder`, leaveOut);
    this.#add(path);
  }

  #add(path: string): void {
    this.found.push({ path, full: join(this.root, path) });
    checkCount(this.found.length);
  }
}

const leaveOut = `a file, or a line in ${ignoreFile} that leaves it out`;

/** Reads what was found. @throws InvalidBundleError past the bounds; the system's error. */
export async function readFiles(found: readonly FoundFile[]): Promise<GivenFile[]> {
  const given: GivenFile[] = [];
  let bytes = 0;
  for (const { path, full } of found) {
    const { size, mode } = await stat(full);
    checkBytes(bytes + size);
    const data = await readFile(full);
    bytes += data.length;
    checkBytes(bytes);
    given.push({ path, executable: (mode & 0o100) !== 0, data });
  }
  return given;
}
