import { join } from 'node:path';
import { Fault } from '@das/contracts';
import { type BundleFile, InvalidBundleError, bytesOf } from '../core/manifest.js';
import { codeFolder, manifestIn, printOf, unpackInto, verifyBytes } from './cached-folder.js';
import { type CachePlace, type Content, FolderCache, type MakeFolder } from './folder-cache.js';

/** One chunk of a stored pack. */
export type FetchChunk = (
  digest: string,
  chunk: number,
) => Promise<{ readonly found: boolean; readonly chunks: number; readonly raw: Uint8Array }>;

export interface BundleCacheOptions extends CachePlace {
  readonly fetch: FetchChunk;
}

/** A bundle's files, for as long as somebody uses them. */
export interface BundleLease {
  /** Where they lie: not to be written, the same for all who use this bundle. */
  readonly folder: string;
  readonly files: readonly BundleFile[];
  /** Twice is fine. */
  readonly release: () => void;
}

interface Facts {
  readonly files: readonly BundleFile[];
  /** What the file system said when every byte was right; undefined: not looked at since the start. */
  print: string | undefined;
}

/** Fetches of one bundle until it is taken for damaged where it is stored. */
const triesMax = 2;

/** Unpacked bundles by digest: each is fetched once, whoever waits for it, and verified before anybody sees it. */
export class BundleCache {
  readonly #folders: FolderCache<Facts>;

  constructor(private readonly options: BundleCacheOptions) {
    this.#folders = new FolderCache({ ...options, what: 'code bundle', prefix: 'b-', adopt, check });
  }

  /** As {@link FolderCache.open}. */
  open(): Promise<void> {
    return this.#folders.open();
  }

  /** Has it here before somebody needs it. @throws as {@link lease}. */
  ensure(digest: string): Promise<void> {
    return this.#folders.ensure(digest, this.#making(digest));
  }

  /**
   * A bundle, here and whole. Who holds a lease finds its files until it is released.
   * @throws Fault CODE_NOT_FOUND, CODE_CORRUPT when the store lacks it or has other bytes; what `fetch` throws; the system's error.
   */
  async lease(digest: string): Promise<BundleLease> {
    const { path, facts, release } = await this.#folders.lease(digest, this.#making(digest));
    return { folder: codeFolder(path), files: facts.files, release };
  }

  #making(digest: string): MakeFolder<Facts> {
    return async (empty) => {
      for (let tries = 1; ; tries += 1) {
        try {
          const path = join(empty, String(tries));
          const files = await unpackInto(path, this.#chunks(digest), digest);
          return { path, bytes: bytesOf(files), facts: { files, print: await printOf(path, files) } };
        } catch (error) {
          if (!(error instanceof InvalidBundleError)) throw error;
          if (tries === triesMax) throw damaged(digest, error);
        }
      }
    };
  }

  async *#chunks(digest: string): AsyncGenerator<Uint8Array, void> {
    for (let chunk = 0, chunks = 1; chunk < chunks; chunk += 1) {
      const page = await this.options.fetch(digest, chunk);
      if (!page.found) throw missing(digest);
      chunks = page.chunks;
      yield page.raw;
    }
  }
}

async function adopt(path: string, digest: string): Promise<Content<Facts>> {
  const files = await manifestIn(path, digest);
  await printOf(path, files);
  return { bytes: bytesOf(files), facts: { files, print: undefined } };
}

/** Every byte is read once after a start, and again when the file system tells of a change. */
async function check(path: string, facts: Facts): Promise<void> {
  const print = await printOf(path, facts.files);
  if (print !== facts.print) await verifyBytes(path, facts.files);
  facts.print = print;
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
