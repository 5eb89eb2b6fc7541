import { type FileHandle, chmod, mkdir, open, readFile, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '@das/kernel';
import {
  type FoundFile,
  type SpoolFile,
  type SpoolFiles,
  SpoolWriteError,
  type TornFile,
  spoolNamePattern,
} from '../ports/spool-files.js';
import { decodeHeader, encodeFile, fileBytes, headerBytes, isWholeHead, isWholeRaw } from './file-format.js';

/** Files that were set aside are kept for people to look at; of more, the first by name go. */
export const tornFilesMax = 16;
const tornSuffix = '.torn';
const newSuffix = '.new';

/** Anything else in the folder is somebody else's, and stays. */
const isOurs = (name: string, suffix: string): boolean =>
  name.endsWith(suffix) && spoolNamePattern.test(name.slice(0, -suffix.length));

const noSpaceCodes: ReadonlySet<string | undefined> = new Set(['ENOSPC', 'EDQUOT']);
const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

/** One file per output in a folder of its own (0700, files 0600): written beside its name, synced, renamed, and the folder synced. */
export class FolderSpool implements SpoolFiles {
  constructor(private readonly folder: string) {}

  async open(): Promise<{ found: FoundFile[]; torn: TornFile[] }> {
    await this.#makeFolder();
    const found: FoundFile[] = [];
    const torn: TornFile[] = [];
    for (const name of (await readdir(this.folder)).sort()) {
      // Its output was never told to be safe.
      if (isOurs(name, newSuffix)) await rm(this.#path(name), { force: true });
      if (!spoolNamePattern.test(name)) continue;
      const looked = await this.#look(name);
      if ('why' in looked) torn.push(looked);
      else found.push(looked);
    }
    for (const { name } of torn) await this.setAside(name);
    await this.#tidyTorn();
    return { found, torn };
  }

  async write(name: string, file: SpoolFile): Promise<number> {
    if (!spoolNamePattern.test(name)) throw new RangeError(`not a name of the spool: ${JSON.stringify(name)}`);
    const fresh = this.#path(`${name}${newSuffix}`);
    try {
      const pieces = encodeFile(file);
      await this.#makeFolder();
      await rm(fresh, { force: true });
      await synced(fresh, 'wx', (handle) => writeAll(handle, pieces));
      await rename(fresh, this.#path(name));
      await synced(this.folder, 'r', async () => undefined);
      return pieces.reduce((sum, { length }) => sum + length, 0);
    } catch (error) {
      for (const left of [fresh, this.#path(name)]) await rm(left, { force: true }).catch(() => undefined);
      throw new SpoolWriteError(messageOf(error), noSpaceCodes.has(codeOf(error)), { cause: error });
    }
  }

  async read(name: string): Promise<{ head: string; raw: Uint8Array } | TornFile> {
    const path = this.#path(name);
    const bytes = await readFile(path).catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    });
    if (bytes === undefined) return { name, why: 'it is gone' };
    const header = decodeHeader(bytes);
    const rawAt = headerBytes + (header?.headBytes ?? 0);
    const [head, raw] = [bytes.subarray(headerBytes, rawAt), bytes.subarray(rawAt)];
    if (header === undefined || !isWholeHead(header, head) || !isWholeRaw(header, raw))
      return this.#torn({ name, why: 'its content is not what was written' });
    return { head: head.toString(), raw };
  }

  /** One that cannot even be renamed stays where it is, and is looked at again at the next start. */
  async setAside(name: string): Promise<void> {
    await rename(this.#path(name), this.#path(`${name}${tornSuffix}`)).catch(() => undefined);
  }

  async remove(name: string): Promise<void> {
    await rm(this.#path(name), { force: true });
  }

  #path(name: string): string {
    return join(this.folder, name);
  }

  /** It may be gone, or open to others, although it was right once. */
  async #makeFolder(): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    await chmod(this.folder, 0o700);
  }

  async #look(name: string): Promise<FoundFile | TornFile> {
    try {
      const handle = await open(this.#path(name), 'r');
      try {
        return await lookInto(handle, name);
      } finally {
        await handle.close();
      }
    } catch (error) {
      return { name, why: messageOf(error) };
    }
  }

  async #torn(torn: TornFile): Promise<TornFile> {
    await this.setAside(torn.name);
    return torn;
  }

  async #tidyTorn(): Promise<void> {
    const torn = (await readdir(this.folder)).filter((name) => isOurs(name, tornSuffix)).sort();
    for (const name of torn.slice(0, Math.max(torn.length - tornFilesMax, 0)))
      await rm(this.#path(name), { force: true, recursive: true });
  }
}

async function lookInto(handle: FileHandle, name: string): Promise<FoundFile | TornFile> {
  const { size } = await handle.stat();
  const header = decodeHeader(await readExactly(handle, 0, headerBytes));
  if (header === undefined) return { name, why: 'it does not begin as a file of the spool does' };
  if (fileBytes(header) !== size) return { name, why: `it has ${size} of ${fileBytes(header)} bytes` };
  const head = await readExactly(handle, headerBytes, header.headBytes);
  if (!isWholeHead(header, head)) return { name, why: 'its head is not what was written' };
  return { name, head: head.toString(), bytes: size };
}

async function readExactly(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await handle.read({ buffer: Buffer.alloc(length), position });
  return buffer.subarray(0, bytesRead);
}

async function writeAll(handle: FileHandle, pieces: readonly Uint8Array[]): Promise<void> {
  for (const piece of pieces) await handle.writeFile(piece);
}

/** Opens, acts, syncs, closes; also when one of these fails. */
async function synced(path: string, flags: string, act: (handle: FileHandle) => Promise<void>): Promise<void> {
  const handle = await open(path, flags, 0o600);
  try {
    await act(handle);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
