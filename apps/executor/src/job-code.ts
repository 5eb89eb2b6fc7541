import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type BundleCache,
  type BundleLease,
  chooseEntry,
  InvalidBundleError,
  invalidCode,
  requirementsFile,
} from '@das/bundles';
import {
  Fault,
  type JobSpec,
  type Language,
  bundleLanguages,
  doubtBundle,
  languageEndings,
  languageOf,
} from '@das/contracts';
import type { CodeCache } from './code-cache.js';
import type { PackageLayers } from './package-layers.js';
import type { StoreClient } from './store-client.js';

/** A job's code as a worker takes it. */
export interface TakenCode {
  readonly text: string;
  /** Where its other files lie, of a bundle. */
  readonly folder?: string;
  /** Where packages lie that its requirements name. */
  readonly packages?: string;
  /** The worker that took it is gone. Twice is fine. */
  readonly release: () => void;
}

/** The file of a bundle that defines the job's functions. */
export interface Entry extends TakenCode {
  readonly entry: string;
  readonly language: Language;
}

/** What was said of a bundle's entry before anybody looked. */
export interface WantedEntry {
  readonly entry: string | undefined;
  readonly language: Language | undefined;
  readonly venv: string | undefined;
}

export interface CodeTools {
  readonly texts: CodeCache;
  readonly bundles: BundleCache;
  readonly layers: PackageLayers;
  readonly store: StoreClient;
  readonly signal: AbortSignal;
}

/** What a bundle's entry ends in, the first choice first. */
const extensionsOf = (language: Language): string[] => languageEndings[language].map((ending) => `.${ending}`);

/** The code of jobs, whichever form it has: one text, or a bundle of files. */
export class JobCode {
  constructor(private readonly tools: CodeTools) {}

  /** Has it on this node. @throws as {@link take}. */
  async ensure({ code, bundle }: JobSpec): Promise<void> {
    if (bundle === undefined) await this.tools.texts.get(code);
    else await this.#unlessDamaged(code, this.tools.bundles.ensure(code));
  }

  /** @throws Fault CODE_NOT_FOUND, CODE_CORRUPT, CODE_REQUIREMENTS: no node could have it. StoppedError when the service stops. */
  async take({ code, bundle, filename, language, venv }: JobSpec): Promise<TakenCode> {
    if (bundle === undefined) return { text: await this.tools.texts.get(code), release: () => undefined };
    const lease = await this.#unlessDamaged(code, this.tools.bundles.lease(code));
    return withRelease(lease, async () => {
      const text = await entryText(lease, filename);
      const layer = await this.tools.layers.lease(await requirementsOf(lease, language, venv));
      if (layer === undefined) return { ...lease, text };
      return { text, folder: lease.folder, packages: layer.folder, release: once(lease.release, layer.release) };
    });
  }

  /** A bundle as it is looked at before a job has it. @throws Fault CODE_INVALID when it has no such entry, CODE_REQUIREMENTS when nothing can serve those; as {@link take}. */
  async entryOf(digest: string, { entry: wanted, language: given, venv }: WantedEntry): Promise<Entry> {
    const lease = await this.#unlessDamaged(digest, this.tools.bundles.lease(digest));
    return withRelease(lease, async () => {
      const { entry, language } = chosen(lease, wanted, given);
      this.tools.layers.check(await requirementsOf(lease, language, venv));
      return { ...lease, entry, language, text: await entryText(lease, entry) };
    });
  }

  /** The store is told, so that the next submission stores it anew. */
  async #unlessDamaged<T>(digest: string, wanted: Promise<T>): Promise<T> {
    try {
      return await wanted;
    } catch (error) {
      if (error instanceof Fault && (error.code === 'CODE_NOT_FOUND' || error.code === 'CODE_CORRUPT'))
        await this.tools.store.ask(doubtBundle, { digest }, this.tools.signal);
      throw error;
    }
  }
}

async function withRelease<T>(lease: BundleLease, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    lease.release();
    throw error;
  }
}

/** Empty: it names none. They are for the node's own Python alone: a virtual environment has the packages that it has. */
async function requirementsOf(
  { folder, files }: BundleLease,
  language: Language,
  venv: string | undefined,
): Promise<string> {
  const there = language === 'python' && venv === undefined && files.some(({ path }) => path === requirementsFile);
  return there ? readFile(join(folder, requirementsFile), 'utf8') : '';
}

function once(...acts: ReadonlyArray<() => void>): () => void {
  const left = [...acts];
  return () => {
    for (const act of left.splice(0)) act();
  };
}

const entryText = ({ folder }: BundleLease, entry: string): Promise<string> => readFile(join(folder, entry), 'utf8');

function chosen(
  { files }: BundleLease,
  wanted: string | undefined,
  given: Language | undefined,
): Pick<Entry, 'entry' | 'language'> {
  const paths = files.map(({ path }) => path);
  try {
    const entry = chooseEntry(paths, wanted, (given === undefined ? bundleLanguages : [given]).flatMap(extensionsOf));
    const language = given ?? languageOf(entry) ?? 'python';
    if (bundleLanguages.some((known) => known === language)) return { entry, language };
    throw new InvalidBundleError(
      `${entry} cannot be the script of a bundle`,
      `a file of ${bundleLanguages.join(' or ')}`,
    );
  } catch (error) {
    throw error instanceof InvalidBundleError ? invalidCode(error) : error;
  }
}
