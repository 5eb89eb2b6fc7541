import { access, constants, stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import {
  type Bundle,
  type FoundFile,
  InvalidBundleError,
  bundleOf,
  listFolder,
  packChunks,
  readArchive,
  readFiles,
  sameButForCase,
} from '@das/bundles';
import { type Language, limits } from '@das/contracts';
import type { Client } from '../client/client.js';
import type { CodeUpload } from '../client/multipart.js';
import { UsageError } from '../core/parse.js';
import { ProblemError } from '../errors.js';
import type { World } from '../world.js';
import { includedFiles } from './include.js';
import { bytesOf, unreadable } from './text.js';

export interface CodeOptions {
  readonly include?: readonly string[] | undefined;
  readonly entry?: string | undefined;
}

/** What is to run: one script, or several files. */
export interface Code {
  /** Shown in lists unless the job has a name. */
  readonly filename: string;
  readonly bytes?: Uint8Array;
  /** Of a bundle, where it is not to be told by its entry. */
  readonly language?: Language;
  readonly bundle?: Bundle;
  readonly entry?: string;
  /** Worth knowing, and no error. */
  readonly remarks?: readonly string[];
}

const archive = /\.(zip|tar|tgz|tar\.gz)$/i;

/** The bundle of what `das run` was given; undefined: it is one script, and nothing was read. @throws UsageError. */
export async function openBundle(
  given: string,
  options: CodeOptions,
  { cwd }: Pick<World, 'cwd'>,
): Promise<Code | undefined> {
  const path = resolve(cwd, given);
  const whole = await isFolder(path);
  const isArchive = !whole && archive.test(path);
  const include = options.include ?? [];
  checkOptions(options, whole || isArchive);
  if (!whole && !isArchive && include.length === 0) return undefined;
  const entry = whole || isArchive ? options.entry : basename(path);
  const bundle = await inWords(given, async () => {
    if (isArchive) return readArchive(await archiveBytes(path, given));
    return bundleOf(await readFiles(whole ? await listFolder(path) : await withScript(path, given, include)));
  });
  const remarks = sameButForCase(bundle.files.map((file) => file.path)).map(
    ([a, b]) => `${a} and ${b} are one file where file names have no case`,
  );
  return { filename: basename(path), bundle, remarks, ...(entry !== undefined && { entry }) };
}

const isFolder = async (path: string): Promise<boolean> =>
  (await stat(path).catch(() => undefined))?.isDirectory() === true;

function checkOptions({ include = [], entry }: CodeOptions, whole: boolean): void {
  if (whole && include.length > 0) {
    throw new UsageError('a folder or archive has all its files already', {
      field: '--include',
      expected: 'a script',
      hint: 'what it leaves out is in .dasignore',
    });
  }
  if (!whole && entry !== undefined)
    throw new UsageError('--entry names the script in a folder or archive', { field: '--entry' });
}

/** The files that make the code, as they lie on disk: an archive is one. @throws UsageError. */
export async function codeFiles(
  given: string,
  { include = [] }: CodeOptions,
  { cwd }: Pick<World, 'cwd'>,
): Promise<readonly FoundFile[]> {
  const path = resolve(cwd, given);
  const whole = await isFolder(path);
  return inWords(given, () => (whole ? listFolder(path) : withScript(path, given, include)));
}

async function archiveBytes(path: string, shown: string): Promise<Uint8Array> {
  const size = (await stat(path).catch(() => undefined))?.size ?? 0;
  if (size > limits.archiveBytesMax)
    throw new UsageError(`${shown} is too large`, {
      field: 'SCRIPT',
      expected: `at most ${limits.archiveBytesMax} bytes`,
    });
  return bytesOf(path, shown, 'SCRIPT');
}

async function withScript(path: string, shown: string, include: readonly string[]): Promise<readonly FoundFile[]> {
  await access(path, constants.R_OK).catch((thrown: NodeJS.ErrnoException) => {
    throw unreadable(shown, 'SCRIPT', thrown);
  });
  const files = new Map([[basename(path), { path: basename(path), full: path }]]);
  for (const file of await includedFiles(dirname(path), include)) files.set(file.path, file);
  return [...files.values()];
}

async function inWords<T>(shown: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (thrown) {
    if (!(thrown instanceof InvalidBundleError)) throw thrown;
    const { message, expected } = thrown;
    throw new UsageError(`${shown}: ${message}`, { field: 'SCRIPT', ...(expected !== undefined && { expected }) });
  }
}

/** How code is sent: a bundle that the cluster has is only named. @throws ProblemError, NoClusterError. */
export async function codeParts(
  client: Pick<Client, 'get'>,
  { filename, bytes, bundle, entry, language }: Code,
): Promise<{ readonly spec: object; readonly code: CodeUpload | undefined }> {
  if (bundle === undefined) return { spec: {}, code: { filename, bytes: bytes ?? Buffer.of() } };
  const named = { filename, ...(entry !== undefined && { entry }), ...(language !== undefined && { language }) };
  if (await isStored(client, bundle.digest))
    return { spec: { code: { ...named, bundle: bundle.digest } }, code: undefined };
  return { spec: { code: named }, code: { filename, chunks: () => packChunks(bundle) } };
}

async function isStored(client: Pick<Client, 'get'>, digest: string): Promise<boolean> {
  try {
    await client.get(`/v1/code/${digest}`);
    return true;
  } catch (thrown) {
    // A node of an earlier version knows no such address: it says what it thinks of a bundle itself.
    if (thrown instanceof ProblemError && thrown.problem.status === 404) return false;
    throw thrown;
  }
}
