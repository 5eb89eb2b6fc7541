import { renameSync } from 'node:fs';
import { chmod, lstat, mkdir, readdir, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, messageOf } from '@das/kernel';
import { surplus } from '../core/eviction.js';

/** What users of {@link FolderCache} leave to whoever opens them. */
export interface CachePlace {
  /** The node's own; others on the machine have theirs. */
  readonly folder: string;
  /** Beyond it the folder used longest ago goes; those in use may take more. */
  readonly bytesMax: number;
  readonly clock: Clock;
  readonly newId: () => string;
  /** Told when a folder had to be made anew, or what is left over cannot be removed. */
  readonly onFault: (message: string) => void;
}

export interface FolderCacheOptions<Facts> extends CachePlace {
  /** What one of its folders is, in words. */
  readonly what: string;
  /** What names of its folders begin with; beside them there may be others. */
  readonly prefix: string;
  /** Takes in a folder of an earlier life. Throws when it is not what it should be: then it goes. */
  readonly adopt: (path: string, digest: string) => Promise<Content<Facts>>;
  /** Asked before each lease. Throws when the folder is not any more what it should be: then it is made anew. @default it is there, and else trusted */
  readonly check?: (path: string, facts: Facts) => Promise<void>;
}

/** What is known of a folder. */
export interface Content<Facts> {
  readonly bytes: number;
  readonly facts: Facts;
}

/** Makes the folder somewhere in an empty one, and says where; what else is there goes. */
export type MakeFolder<Facts> = (empty: string) => Promise<Content<Facts> & { readonly path: string }>;

/** A folder, for as long as somebody uses it. */
export interface FolderLease<Facts> {
  readonly path: string;
  readonly facts: Facts;
  /** Twice is fine. */
  readonly release: () => void;
}

interface Entry<Facts> extends Content<Facts> {
  readonly digest: string;
  used: number;
}

const passing = 't-';

/** Folders by digest: each is made once, whoever waits for it, and nobody sees half of one. Crash-safe: names are given last. */
export class FolderCache<Facts> {
  readonly #entries = new Map<string, Entry<Facts>>();
  readonly #busy = new Map<string, Promise<Entry<Facts>>>();
  /** Of digests, not of entries: who waits for a folder holds it already, and a damaged one is replaced under those who have it. */
  readonly #leases = new Set<{ readonly digest: string }>();
  #used = 0;

  constructor(private readonly options: FolderCacheOptions<Facts>) {}

  /** Takes in what an earlier life left, and removes what it had not finished. @throws the system's error when there can be no such folder. */
  async open(): Promise<void> {
    const { folder, prefix } = this.options;
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
  async ensure(digest: string, make: MakeFolder<Facts>): Promise<void> {
    if (this.#entries.has(digest)) return;
    const release = this.#hold(digest);
    await this.#ready(digest, make).finally(release);
  }

  /** A folder, here and whole. Who holds a lease finds it until it is released. @throws what `make` throws; the system's error. */
  async lease(digest: string, make: MakeFolder<Facts>): Promise<FolderLease<Facts>> {
    const release = this.#hold(digest);
    try {
      const entry = await this.#ready(digest, make);
      entry.used = this.#used += 1;
      const path = this.#path(digest);
      const at = this.options.clock.now() / 1_000;
      // The order outlives a restart; not worth an error.
      await utimes(path, at, at).catch(() => undefined);
      return { path, facts: entry.facts, release };
    } catch (error) {
      release();
      throw error;
    }
  }

  #hold(digest: string): () => void {
    const lease = { digest };
    this.#leases.add(lease);
    return () => void this.#leases.delete(lease);
  }

  #path(digest: string): string {
    return join(this.options.folder, `${this.options.prefix}${digest}`);
  }

  /** One at a time for each folder. */
  #ready(digest: string, make: MakeFolder<Facts>): Promise<Entry<Facts>> {
    const busy = this.#busy.get(digest) ?? this.#find(digest, make).finally(() => this.#busy.delete(digest));
    this.#busy.set(digest, busy);
    return busy;
  }

  async #find(digest: string, make: MakeFolder<Facts>): Promise<Entry<Facts>> {
    const old = this.#entries.get(digest);
    if (old !== undefined && (await this.#intact(old))) return old;
    const made = await this.#make(digest, make);
    this.#entries.set(digest, made);
    await this.#evict();
    return made;
  }

  async #intact({ digest, facts }: Entry<Facts>): Promise<boolean> {
    try {
      await (this.options.check ?? isFolder)(this.#path(digest), facts);
      return true;
    } catch (error) {
      this.#tellDamaged(digest, 'made anew', error);
      return false;
    }
  }

  /**
   * Into a name that no lease knows, then renamed: a crash leaves nothing that looks whole. Leases of a damaged one go on with the new files. What
   * has its name goes, also what no lease has: a folder of an earlier life may have been neither taken in nor removed.
   */
  async #make(digest: string, make: MakeFolder<Facts>): Promise<Entry<Facts>> {
    const making = this.#passing();
    let aside: string | undefined;
    try {
      await mkdir(making, { mode: 0o700 });
      const { path, bytes, facts } = await make(making);
      aside = this.#setAside(digest);
      renameSync(path, this.#path(digest));
      return { digest, bytes, facts, used: (this.#used += 1) };
    } finally {
      if (aside !== undefined) await this.#remove(aside);
      await this.#remove(making);
    }
  }

  async #adopt(digest: string): Promise<void> {
    const path = this.#path(digest);
    try {
      const content = await this.options.adopt(path, digest);
      this.#entries.set(digest, { ...content, digest, used: (this.#used += 1) });
    } catch (error) {
      this.#tellDamaged(digest, 'removed', error);
      await this.#remove(path);
    }
  }

  async #evict(): Promise<void> {
    const held = new Set([...this.#leases].map(({ digest }) => digest));
    const kept = [...this.#entries.values()].map((entry) => ({ ...entry, inUse: held.has(entry.digest) }));
    const aside = surplus(kept, this.options.bytesMax).map((digest) => {
      this.#entries.delete(digest);
      return this.#setAside(digest);
    });
    await Promise.all(aside.map(async (path) => path && this.#remove(path)));
  }

  /** In no time, so that its name is free for who asks for it next; what it is called now is to be removed. A crash meanwhile leaves no half folder. */
  #setAside(digest: string): string | undefined {
    const aside = this.#passing();
    try {
      renameSync(this.#path(digest), aside);
      return aside;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      return undefined;
    }
  }

  #passing(): string {
    return join(this.options.folder, `${passing}${this.options.newId()}`);
  }

  async #remove(path: string): Promise<void> {
    await rm(path, { recursive: true, force: true }).catch((error: unknown) =>
      this.options.onFault(`${path} stays behind: ${messageOf(error)}`),
    );
  }

  #tellDamaged(digest: string, then: string, error: unknown): void {
    const { what, onFault } = this.options;
    onFault(`${what} ${digest.slice(0, 12)}: damaged on disk, and ${then}: ${messageOf(error)}`);
  }
}

async function isFolder(path: string): Promise<void> {
  if (!(await lstat(path)).isDirectory()) throw new Error('it is no folder');
}
