import { chmod, mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '@das/contracts';
import { type Clock, messageOf } from '@das/kernel';
import { surplus } from '../core/eviction.js';
import { type BundleFile, InvalidBundleError, bytesOf } from '../core/manifest.js';
import { codeFolder, manifestIn, printOf, unpackInto, verifyBytes } from './cached-folder.js';

/** One chunk of a stored pack. */
export type FetchChunk = (
  digest: string,
  chunk: number,
) => Promise<{ readonly found: boolean; readonly chunks: number; readonly raw: Uint8Array }>;

export interface BundleCacheOptions {
  /** The node's own; others on the machine have theirs. */
  readonly folder: string;
  /** Beyond it the bundle used longest ago goes; those in use may take more. */
  readonly bytesMax: number;
  readonly fetch: FetchChunk;
  readonly clock: Clock;
  readonly newId: () => string;
  /** Told when a bundle had to be fetched anew, or what is left over cannot be removed. */
  readonly onFault: (message: string) => void;
}

/** A bundle's files, for as long as somebody uses them. */
export interface BundleLease {
  /** Where they lie: not to be written, the same for all who use this bundle. */
  readonly folder: string;
  readonly files: readonly BundleFile[];
  /** Twice is fine. */
  readonly release: () => void;
}

interface Entry {
  readonly digest: string;
  readonly files: readonly BundleFile[];
  readonly bytes: number;
  /** What the file system said when every byte was right; undefined: not looked at since the start. */
  print: string | undefined;
  used: number;
}

const prefix = 'b-';
const passing = 't-';
/** Fetches of one bundle until it is taken for damaged where it is stored. */
const triesMax = 2;

/** Unpacked bundles by digest: each is fetched once, whoever waits for it, and verified before anybody sees it. Crash-safe: names are given last. */
export class BundleCache {
  readonly #entries = new Map<string, Entry>();
  readonly #busy = new Map<string, Promise<Entry>>();
  /** Being removed: its name is free only afterwards. */
  readonly #going = new Map<string, Promise<void>>();
  /** By digest, not by entry: a damaged bundle is replaced under those who have it. */
  readonly #leases = new Map<string, number>();
  #used = 0;

  constructor(private readonly options: BundleCacheOptions) {}

  /** Takes in what an earlier life left, and removes what it had not finished. @throws the system's error when there can be no such folder. */
  async open(): Promise<void> {
    const { folder } = this.options;
    // Not to be listed: a script of another job would have to know the digest.
    await mkdir(folder, { recursive: true, mode: 0o711 });
    await chmod(folder, 0o711);
    const found: Array<{ readonly name: string; readonly at: number }> = [];
    for (const name of await readdir(folder)) {
      const path = join(folder, name);
      if (name.startsWith(passing)) await this.#remove(path);
      else if (name.startsWith(prefix)) found.push({ name, at: (await stat(path)).mtimeMs });
    }
    for (const { name } of found.sort((a, b) => a.at - b.at)) await this.#adopt(name.slice(prefix.length));
    await this.#evict();
  }

  /** Has it here before somebody needs it. @throws as {@link lease}. */
  async ensure(digest: string): Promise<void> {
    if (!this.#entries.has(digest)) await this.#ready(digest);
  }

  /**
   * A bundle, here and whole. Who holds a lease finds its files until it is released.
   * @throws Fault CODE_NOT_FOUND, CODE_CORRUPT when the store lacks it or has other bytes; what `fetch` throws; the system's error.
   */
  async lease(digest: string): Promise<BundleLease> {
    const entry = await this.#taken(digest);
    const at = this.options.clock.now() / 1_000;
    // The order outlives a restart; not worth an error.
    await utimes(this.#path(digest), at, at).catch(() => undefined);
    let held = true;
    const release = (): void => {
      if (held) this.#hold(digest, -1);
      held = false;
    };
    return { folder: codeFolder(this.#path(digest)), files: entry.files, release };
  }

  /** It may have been evicted between its being there and our hold on it. */
  async #taken(digest: string): Promise<Entry> {
    for (;;) {
      const entry = await this.#ready(digest);
      if (this.#entries.get(digest) !== entry) continue;
      this.#hold(digest, 1);
      entry.used = this.#used += 1;
      return entry;
    }
  }

  #hold(digest: string, more: 1 | -1): void {
    const leases = (this.#leases.get(digest) ?? 0) + more;
    if (leases > 0) this.#leases.set(digest, leases);
    else this.#leases.delete(digest);
  }

  #path(digest: string): string {
    return join(this.options.folder, `${prefix}${digest}`);
  }

  /** One at a time for each bundle. */
  #ready(digest: string): Promise<Entry> {
    const busy = this.#busy.get(digest) ?? this.#make(digest).finally(() => this.#busy.delete(digest));
    this.#busy.set(digest, busy);
    return busy;
  }

  async #make(digest: string): Promise<Entry> {
    await this.#going.get(digest);
    const entry = this.#entries.get(digest);
    if (entry !== undefined && (await this.#intact(entry))) return entry;
    const fetched = await this.#fetchTwice(digest, entry);
    this.#entries.set(digest, fetched);
    await this.#evict(digest);
    return fetched;
  }

  /** Every byte is read once after a start, and again when the file system tells of a change. */
  async #intact(entry: Entry): Promise<boolean> {
    const path = this.#path(entry.digest);
    try {
      const print = await printOf(path, entry.files);
      if (print !== entry.print) await verifyBytes(path, entry.files);
      entry.print = print;
      return true;
    } catch (error) {
      this.options.onFault(`bundle ${short(entry.digest)} is damaged on disk and fetched anew: ${messageOf(error)}`);
      return false;
    }
  }

  async #fetchTwice(digest: string, old: Entry | undefined): Promise<Entry> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#fetch(digest, old);
      } catch (error) {
        if (!(error instanceof InvalidBundleError)) throw error;
        if (tries === triesMax) throw damaged(digest, error);
      }
    }
  }

  /** Into a name that no lease knows, then renamed: a crash leaves nothing that looks like a bundle. Leases of a damaged one go on with the new files. */
  async #fetch(digest: string, old: Entry | undefined): Promise<Entry> {
    const making = join(this.options.folder, `${passing}${this.options.newId()}`);
    try {
      await mkdir(making, { mode: 0o700 });
      const files = await unpackInto(making, this.#chunks(digest), digest);
      const print = await printOf(making, files);
      if (old !== undefined) await this.#setAside(digest);
      await rename(making, this.#path(digest));
      return { digest, files, bytes: bytesOf(files), print, used: (this.#used += 1) };
    } catch (error) {
      await this.#remove(making);
      throw error;
    }
  }

  async *#chunks(digest: string): AsyncGenerator<Uint8Array, void> {
    for (let chunk = 0, chunks = 1; chunk < chunks; chunk += 1) {
      const page = await this.options.fetch(digest, chunk);
      if (!page.found) throw missing(digest);
      chunks = page.chunks;
      yield page.raw;
    }
  }

  async #adopt(digest: string): Promise<void> {
    try {
      const files = await manifestIn(this.#path(digest), digest);
      await printOf(this.#path(digest), files);
      const used = (this.#used += 1);
      this.#entries.set(digest, { digest, files, bytes: bytesOf(files), print: undefined, used });
    } catch (error) {
      this.options.onFault(`bundle ${short(digest)} is damaged on disk and removed: ${messageOf(error)}`);
      await this.#remove(this.#path(digest));
    }
  }

  async #evict(needed?: string): Promise<void> {
    const kept = [...this.#entries.values()].map((entry) => ({ ...entry, leases: this.#users(entry.digest, needed) }));
    const going = surplus(kept, this.options.bytesMax).map((digest) => {
      this.#entries.delete(digest);
      const gone = this.#setAside(digest).finally(() => this.#going.delete(digest));
      this.#going.set(digest, gone);
      return gone;
    });
    await Promise.all(going);
  }

  /** Who asked for it just now, or has it looked at, has no lease yet. */
  #users(digest: string, needed: string | undefined): number {
    return (this.#leases.get(digest) ?? 0) + (digest === needed || this.#busy.has(digest) ? 1 : 0);
  }

  /** Gone under its name at once; a crash in mid-removal leaves no half bundle. */
  async #setAside(digest: string): Promise<void> {
    const aside = join(this.options.folder, `${passing}${this.options.newId()}`);
    try {
      await rename(this.#path(digest), aside);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    await this.#remove(aside);
  }

  async #remove(path: string): Promise<void> {
    await rm(path, { recursive: true, force: true }).catch((error: unknown) =>
      this.options.onFault(`${path} stays behind: ${messageOf(error)}`),
    );
  }
}

const short = (digest: string): string => digest.slice(0, 12);

const again = 'submit the job again: its files are then stored anew';

const missing = (digest: string): Fault =>
  new Fault('CODE_NOT_FOUND', `the store does not have the code bundle ${short(digest)}`, { hint: again });

const damaged = (digest: string, why: Error): Fault =>
  new Fault('CODE_CORRUPT', `the code bundle ${short(digest)} is damaged in the store: ${why.message}`, {
    cause: why,
    hint: again,
  });
