import { chmod, lstat, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type CachePlace,
  FolderCache,
  InvalidBundleError,
  type MakeFolder,
  parseRequirements,
  requirementsFile,
  sha256,
} from '@das/bundles';
import { Fault } from '@das/contracts';
import { type PackageSources, pipInstall } from './pip.js';

export interface LayerOptions extends CachePlace {
  /** The interpreter that will import them, and what its packages depend on: another version takes other wheels. */
  readonly python: { readonly path: string; readonly version: string };
  readonly sources: PackageSources;
}

/** Installed packages, for as long as a worker has them. */
export interface Layer {
  readonly folder: string;
  /** Twice is fine. */
  readonly release: () => void;
}

/** One set of packages, installed (bytes). */
const layerBytesMax = 1024 * 1024 * 1024;

/** Python packages by what `requirements.txt` names and the interpreter: each set is installed once on a node, whoever waits for it, and trusted from then on. */
export class PackageLayers {
  readonly #folders: FolderCache<undefined>;

  constructor(private readonly options: LayerOptions) {
    this.#folders = new FolderCache<undefined>({
      ...options,
      ...{ what: 'installed packages', prefix: 'p-' },
      adopt: async (path) => ({ bytes: await readable(path), facts: undefined }),
    });
  }

  /** As {@link FolderCache.open}. */
  open(): Promise<void> {
    return this.#folders.open();
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
    const { path: python, version } = this.options.python;
    const digest = sha256(['das-packages-1', python, version, ...wanted, ''].join('\n'));
    const { path: folder, release } = await this.#folders.lease(digest, this.#installing(wanted));
    return { folder, release };
  }

  #installing(wanted: readonly string[]): MakeFolder<undefined> {
    const { python, sources, clock } = this.options;
    return async (home) => {
      const [file, target] = [join(home, requirementsFile), join(home, 'packages')];
      await writeFile(file, `${wanted.join('\n')}\n`);
      const failure = await pipInstall(python.path, { file, target, home }, sources, clock);
      if (failure !== undefined) throw failed(failure);
      const bytes = await readable(target);
      if (bytes > layerBytesMax) throw failed(`they have ${bytes} bytes; at most ${layerBytesMax}`);
      return { path: target, bytes, facts: undefined };
    };
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
