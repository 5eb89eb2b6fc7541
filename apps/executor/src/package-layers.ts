import { chmod, lstat, mkdir, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InvalidBundleError, parseRequirements, requirementsFile, sha256, surplus } from '@das/bundles';
import { Fault } from '@das/contracts';
import { type Clock, messageOf } from '@das/kernel';
import { type PackageSources, pipInstall } from './pip.js';

export interface LayerOptions {
  readonly folder: string;
  readonly bytesMax: number;
  /** The interpreter that will import them, and what its packages depend on: another version takes other wheels. */
  readonly python: { readonly path: string; readonly version: string };
  readonly sources: PackageSources;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly onFault: (message: string) => void;
}

/** Installed packages, for as long as a worker has them. */
export interface Layer {
  readonly folder: string;
  /** Once. */
  readonly release: () => void;
}

interface Entry {
  readonly digest: string;
  readonly bytes: number;
  used: number;
  leases: number;
}

const prefix = 'p-';
const passing = 't-';
/** One set of packages, installed (bytes). */
const layerBytesMax = 1024 * 1024 * 1024;

/** Python packages by what `requirements.txt` names and the interpreter: each set is installed once on a node, whoever waits for it. */
export class PackageLayers {
  readonly #entries = new Map<string, Entry>();
  readonly #busy = new Map<string, Promise<Entry>>();
  #used = 0;

  constructor(private readonly options: LayerOptions) {}

  /** Takes in what an earlier life installed; removes what it had not finished. @throws the system's error. */
  async open(): Promise<void> {
    const { folder } = this.options;
    await mkdir(folder, { recursive: true, mode: 0o711 });
    await chmod(folder, 0o711);
    const found: Array<{ name: string; at: number }> = [];
    for (const name of await readdir(folder)) {
      if (name.startsWith(passing)) await this.#remove(name);
      else if (name.startsWith(prefix)) found.push({ name, at: (await stat(join(folder, name))).mtimeMs });
    }
    for (const { name } of found.sort((a, b) => a.at - b.at)) {
      const bytes = await readable(join(folder, name));
      const digest = name.slice(prefix.length);
      this.#entries.set(digest, { digest, bytes, used: (this.#used += 1), leases: 0 });
    }
    await this.#evict();
  }

  /** Whether such a file can be served here, and what it asks for. @throws Fault CODE_REQUIREMENTS with what to change. */
  check(text: string): string[] {
    const { findLinks, indexUrl } = this.options.sources;
    const wanted = linesOf(text);
    if (wanted.length > 0 && findLinks === undefined && indexUrl === undefined)
      throw new Fault(
        'CODE_REQUIREMENTS',
        `the bundle has a ${requirementsFile}, and its packages can be had nowhere`,
        {
          field: 'code',
          hint: `set DAS_PIP_FIND_LINKS (a folder of wheels) or DAS_PIP_INDEX_URL on every node; or leave the file out by a line in .dasignore`,
        },
      );
    return wanted;
  }

  /** @throws Fault CODE_REQUIREMENTS with pip's own words. */
  async lease(text: string): Promise<Layer | undefined> {
    const wanted = this.check(text);
    if (wanted.length === 0) return undefined;
    const { path, version } = this.options.python;
    const digest = sha256(['das-packages-1', path, version, ...wanted, ''].join('\n'));
    const entry = await this.#ready(digest, wanted);
    entry.leases += 1;
    entry.used = this.#used += 1;
    const folder = join(this.options.folder, `${prefix}${digest}`);
    const at = this.options.clock.now() / 1_000;
    await utimes(folder, at, at).catch(() => undefined);
    return { folder, release: () => void (entry.leases -= 1) };
  }

  #ready(digest: string, wanted: readonly string[]): Promise<Entry> {
    const entry = this.#entries.get(digest);
    if (entry !== undefined) return Promise.resolve(entry);
    const busy = this.#busy.get(digest) ?? this.#make(digest, wanted).finally(() => this.#busy.delete(digest));
    this.#busy.set(digest, busy);
    return busy;
  }

  async #make(digest: string, wanted: readonly string[]): Promise<Entry> {
    const { folder, newId, python, sources, clock } = this.options;
    const making = `${passing}${newId()}`;
    try {
      const home = join(folder, making);
      await mkdir(home, { mode: 0o700 });
      const [file, target] = [join(home, requirementsFile), join(home, 'packages')];
      await writeFile(file, `${wanted.join('\n')}\n`);
      const failure = await pipInstall(python.path, { file, target, home }, sources, clock);
      if (failure !== undefined) throw failed(failure);
      const bytes = await readable(target);
      if (bytes > layerBytesMax) throw failed(`they have ${bytes} bytes; at most ${layerBytesMax}`);
      await rename(target, join(folder, `${prefix}${digest}`));
      const entry = { digest, bytes, used: (this.#used += 1), leases: 0 };
      this.#entries.set(digest, entry);
      await this.#evict(digest);
      return entry;
    } finally {
      await this.#remove(making);
    }
  }

  async #evict(needed?: string): Promise<void> {
    const kept = [...this.#entries.values()].map((entry) =>
      entry.digest === needed ? { ...entry, leases: entry.leases + 1 } : entry,
    );
    for (const digest of surplus(kept, this.options.bytesMax)) {
      // Somebody may have come for it meanwhile.
      if ((this.#entries.get(digest)?.leases ?? 1) > 0) continue;
      this.#entries.delete(digest);
      const aside = `${passing}${this.options.newId()}`;
      await rename(join(this.options.folder, `${prefix}${digest}`), join(this.options.folder, aside));
      await this.#remove(aside);
    }
  }

  async #remove(name: string): Promise<void> {
    const path = join(this.options.folder, name);
    await rm(path, { recursive: true, force: true }).catch((error: unknown) =>
      this.options.onFault(`${path} stays behind: ${messageOf(error)}`),
    );
  }
}

/** Lets every account read it, whatever the umask was; gives its size. */
async function readable(path: string): Promise<number> {
  const facts = await lstat(path);
  if (facts.isSymbolicLink()) return 0;
  if (!facts.isDirectory()) {
    await chmod(path, (facts.mode & 0o100) === 0 ? 0o444 : 0o555);
    return facts.size;
  }
  await chmod(path, 0o755);
  let bytes = 0;
  for (const name of await readdir(path)) bytes += await readable(join(path, name));
  return bytes;
}

function linesOf(text: string): string[] {
  try {
    return parseRequirements(text);
  } catch (error) {
    if (!(error instanceof InvalidBundleError)) throw error;
    throw new Fault('CODE_REQUIREMENTS', error.message, { field: 'code', expected: error.expected });
  }
}

const failed = (words: string): Fault =>
  new Fault('CODE_REQUIREMENTS', `the packages of ${requirementsFile} cannot be installed: ${words}`, {
    hint: 'only wheels are taken; look at what DAS_PIP_FIND_LINKS and DAS_PIP_INDEX_URL of the node offer for its Python',
  });
