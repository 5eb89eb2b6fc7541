import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing, notNow, seenAt } from './seen-path.js';
import { closed, noVenv } from './venv-unfit.js';

/** What the node takes from `pyvenv.cfg`. */
export interface VenvConfig {
  /** The folder of the Python that it was made of. */
  readonly home: string;
  /** Another when the file was written anew. */
  readonly edition: readonly number[];
}

const name = 'pyvenv.cfg';
/** `python3 -m venv` writes some hundred. */
const bytesMax = 64 * 1024;
/** As the kernel has it; with the byte that ends it. */
const pathBytesMax = 4096;
/** A pipe is not waited for, and no terminal is taken. */
const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

/**
 * Reads `pyvenv.cfg` by the node's own account, which may read more than scripts may: so it is judged as every path is, and once more when it is open,
 * as anybody who can write there may have put another in its place. At most 64 KiB are read.
 * @throws NodeUnfitError; NotStartedError for what may pass.
 */
export async function readVenvConfig(folder: string, readable: readonly string[] | undefined): Promise<VenvConfig> {
  const path = join(folder, name);
  await judge(path, folder, readable);
  const handle = await open(path, flags).catch((error: unknown) => {
    if (isMissing(error)) throw noVenv(folder, `it has no ${name}`);
    // What a socket answers.
    throw (error as NodeJS.ErrnoException).code === 'ENXIO' ? noFile(folder) : notNow(path, error);
  });
  try {
    if (readable !== undefined) await judge(`/proc/self/fd/${handle.fd}`, folder, readable);
    return await read(handle, folder).catch((error: unknown) => {
      throw (error as NodeJS.ErrnoException).syscall === undefined ? error : notNow(path, error);
    });
  } finally {
    await handle.close();
  }
}

async function judge(path: string, folder: string, readable: readonly string[] | undefined): Promise<void> {
  const { kind } = await seenAt(path, readable);
  if (kind === 'missing') throw noVenv(folder, `it has no ${name}`);
  if (kind === 'closed')
    throw closed(`the ${name} of the virtual environment ${folder}`, 'the folder that it leads to');
}

async function read(handle: FileHandle, folder: string): Promise<VenvConfig> {
  const facts = await handle.stat();
  if (!facts.isFile()) throw noFile(folder);
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(bytesMax), 0, bytesMax, 0);
  const home = homeIn(buffer.toString('utf8', 0, bytesRead)) ?? '/usr/bin';
  if (home.includes('\0') || Buffer.byteLength(home) >= pathBytesMax)
    throw noVenv(folder, `what its ${name} names as home is no path`);
  return { home, edition: [facts.ino, facts.mtimeMs] };
}

function homeIn(text: string): string | undefined {
  for (const line of text.split('\n')) {
    const at = line.indexOf('=');
    if (at < 0 || line.slice(0, at).trim().toLowerCase() !== 'home') continue;
    const value = line.slice(at + 1).trim();
    if (value !== '') return value;
  }
  return undefined;
}

const noFile = (folder: string): Error => noVenv(folder, `its ${name} is no file`);
