import { type Stats, createReadStream, createWriteStream } from 'node:fs';
import { type FileHandle, access, constants, open, readlink, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { OutputError, type World, outputFault } from '../world.js';
import { type FreshFile, discard, freshFileFor, isIrreplaceable } from './fresh-file.js';

/** Where a result goes. */
export interface Destination {
  /** What was written so far is in a file that {@link abandon} has to remove. */
  readonly temporary: boolean;
  /** @throws OutputClosedError, OutputError. */
  write(bytes: Uint8Array): Promise<void>;
  /** All is written: a file appears under its name. @throws OutputError; call {@link abandon} then. */
  finish(): Promise<void>;
  /** Leaves what was there before, where that is possible. */
  abandon(): Promise<void>;
}

type Outside = Pick<World, 'cwd' | 'out'>;
/** What the name stands for. `through`: something that is no regular file, written into as it is. */
type Place =
  | { readonly kind: 'stdout' }
  | { readonly kind: 'through'; readonly path: string }
  | { readonly kind: 'file'; readonly path: string; readonly before: Stats | undefined };

/** More links than that lead nowhere (Linux has the same bound). */
const linksMax = 40;
const standardOutput = /^(-|\/dev\/(stdout|fd\/1)|\/proc\/self\/fd\/1)$/;
/** Another of our open files: it has no folder to put a new file into. */
const descriptor = /^\/(dev|proc\/self)\/fd\/\d+$/;

/** Finds out before the work begins. @throws OutputError when a result could not be written there. */
export async function checkOutput(output: string | undefined, world: Outside): Promise<void> {
  const place = await placeOf(output, world);
  if (place.kind !== 'file') return;
  // Only the trial tells: what may be written depends on more than modes.
  await (await NewFile.open(output ?? '-', place.path, place.before)).abandon();
}

/** Standard output, a new file that replaces a regular one when it is whole, or whatever else is there. @throws OutputError. */
export async function openDestination(output: string | undefined, world: Outside): Promise<Destination> {
  const place = await placeOf(output, world);
  const name = output ?? '-';
  try {
    if (place.kind === 'stdout') return new StandardOutput(world);
    if (place.kind === 'file') return await NewFile.open(name, place.path, place.before);
    // Append: of an open regular file nothing may be lost.
    return new Through(name, await open(place.path, constants.O_WRONLY | constants.O_APPEND));
  } catch (thrown) {
    throw outputFault(name, thrown);
  }
}

async function placeOf(output: string | undefined, { cwd }: Outside): Promise<Place> {
  if (output === undefined || output === '-') return { kind: 'stdout' };
  try {
    const path = await linkEnd(resolve(cwd, output));
    if (standardOutput.test(path)) return { kind: 'stdout' };
    const before = await stat(path).catch(ifMissing);
    if (before?.isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' });
    if (before) await access(path, constants.W_OK);
    if ((before && !before.isFile()) || descriptor.test(path)) return { kind: 'through', path };
    return { kind: 'file', path, before };
  } catch (thrown) {
    throw outputFault(output, thrown);
  }
}

/** The end of a chain of links, which need not exist yet. Links of the kernel's own (`/dev/stdout`) are not followed. */
async function linkEnd(path: string): Promise<string> {
  for (let links = 0; links <= linksMax; links++) {
    if (standardOutput.test(path) || descriptor.test(path)) return path;
    const target = await readlink(path).catch(() => undefined);
    if (target === undefined) return path;
    path = resolve(await realpath(dirname(path)), target);
  }
  throw Object.assign(new Error(), { code: 'ELOOP' });
}

function ifMissing(thrown: NodeJS.ErrnoException): undefined {
  if (thrown.code !== 'ENOENT') throw thrown;
}

async function append(handle: FileHandle, bytes: Uint8Array, name: string): Promise<void> {
  await handle.writeFile(bytes).catch((thrown: unknown) => {
    throw outputFault(name, thrown);
  });
}

class StandardOutput implements Destination {
  readonly temporary = false;
  constructor(private readonly world: Outside) {}
  write(bytes: Uint8Array): Promise<void> {
    return this.world.out(bytes);
  }
  async finish(): Promise<void> {}
  async abandon(): Promise<void> {}
}

class Through implements Destination {
  readonly temporary = false;
  constructor(
    private readonly name: string,
    private readonly handle: FileHandle,
  ) {}

  write(bytes: Uint8Array): Promise<void> {
    return append(this.handle, bytes, this.name);
  }
  finish(): Promise<void> {
    return this.handle.close();
  }
  async abandon(): Promise<void> {
    await this.handle.close().catch(() => undefined);
  }
}

/** No reader sees half a result: written beside the file that it replaces. Where that cannot be, elsewhere, and copied into it at the end. */
class NewFile implements Destination {
  readonly temporary = true;
  private constructor(
    private readonly name: string,
    private readonly path: string,
    private readonly fresh: FreshFile,
    private readonly replaces: boolean,
  ) {}

  /** @throws OutputError. State: nothing is left behind. */
  static async open(name: string, path: string, before: Stats | undefined): Promise<NewFile> {
    try {
      return new NewFile(name, path, await freshFileFor(path, before), before !== undefined);
    } catch (thrown) {
      if (before !== undefined || !isIrreplaceable(thrown)) throw outputFault(name, thrown);
      throw new OutputError(`${name} cannot be written (no file can be made in ${dirname(path)})`);
    }
  }

  write(bytes: Uint8Array): Promise<void> {
    return append(this.fresh.handle, bytes, this.name);
  }
  async finish(): Promise<void> {
    try {
      await this.fresh.handle.close();
      await rename(this.fresh.path, this.path).catch((thrown: unknown) => this.#writeInto(thrown));
    } catch (thrown) {
      throw outputFault(this.name, thrown);
    }
  }
  async abandon(): Promise<void> {
    await discard(this.fresh);
  }

  async #writeInto(thrown: unknown): Promise<void> {
    if (!this.replaces || !isIrreplaceable(thrown)) throw thrown;
    await pipeline(createReadStream(this.fresh.path), createWriteStream(this.path));
    await rm(this.fresh.path, { force: true });
  }
}
