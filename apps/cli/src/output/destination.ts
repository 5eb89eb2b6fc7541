import { type FileHandle, access, constants, open, readlink, realpath, rename, rm, stat } from 'node:fs/promises';
import type { Stats } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { newId } from '@das/platform/basics';
import { type World, outputFault } from '../world.js';

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
const newFileMode = 0o666;
const modeBits = 0o7777;

/** Finds out before the work begins. @throws OutputError when a result could not be written there. */
export async function checkOutput(output: string | undefined, world: Outside): Promise<void> {
  await placeOf(output, world);
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
    await access(dirname(path), constants.W_OK);
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

/** Written beside the file that it replaces; no reader sees half a result. */
class NewFile implements Destination {
  readonly temporary = true;
  private constructor(
    private readonly name: string,
    private readonly path: string,
    private readonly fresh: string,
    private readonly handle: FileHandle,
  ) {}

  /** The file that is there keeps its mode, and its owner where we may give files away. */
  static async open(name: string, path: string, before: Stats | undefined): Promise<NewFile> {
    const fresh = `${path}.${newId()}.partial`;
    const handle = await open(fresh, 'wx', before === undefined ? newFileMode : before.mode & 0o600);
    if (before !== undefined) {
      await handle.chown(before.uid, before.gid).catch(() => undefined);
      await handle.chmod(before.mode & modeBits);
    }
    return new NewFile(name, path, fresh, handle);
  }

  write(bytes: Uint8Array): Promise<void> {
    return append(this.handle, bytes, this.name);
  }
  async finish(): Promise<void> {
    try {
      await this.handle.close();
      await rename(this.fresh, this.path);
    } catch (thrown) {
      throw outputFault(this.name, thrown);
    }
  }
  async abandon(): Promise<void> {
    await this.handle.close().catch(() => undefined);
    await rm(this.fresh, { force: true });
  }
}
