import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, lstat, mkdir, open, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { sha256 } from '../bundle.js';
import { type BundleFile, InvalidBundleError, parseManifest } from '../core/manifest.js';
import { unpack } from '../unpack.js';

/*
 * One unpacked bundle on disk: `manifest`, and the files below `code`. Files are read-only; folders only others may not write, so that whoever
 * owns the node can delete it by ordinary means.
 */

const manifestName = 'manifest';
const codeName = 'code';

/** Where the files of a bundle lie that was unpacked into `folder`. */
export const codeFolder = (folder: string): string => join(folder, codeName);

/** Unpacks into a new folder. @throws InvalidBundleError when a byte differs, the system's error; the folder is to be removed then. */
export async function unpackInto(
  folder: string,
  chunks: AsyncIterable<Uint8Array>,
  digest: string,
): Promise<readonly BundleFile[]> {
  const root = codeFolder(folder);
  await mkdir(root, { recursive: true });
  const folders = new Set<string>([root]);
  const { manifest, files } = await unpack(chunks, digest, async (file) => {
    const path = join(root, file.path);
    await makeFolders(root, file.path, folders);
    // `wx`: nothing that is there already is written through.
    return open(path, 'wx', file.executable ? 0o755 : 0o644);
  });
  for (const { path, executable } of files) await chmod(join(root, path), executable ? 0o555 : 0o444);
  for (const made of folders) await chmod(made, 0o755);
  await writeFile(join(folder, manifestName), manifest, { mode: 0o444 });
  await chmod(folder, 0o755);
  return files;
}

async function makeFolders(root: string, path: string, made: Set<string>): Promise<void> {
  for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) {
    const folder = join(root, path.slice(0, at));
    if (made.has(folder)) continue;
    await mkdir(folder);
    made.add(folder);
  }
}

/** The files that a folder should hold. @throws InvalidBundleError, the system's error, unless its manifest is that of the digest. */
export async function manifestIn(folder: string, digest: string): Promise<readonly BundleFile[]> {
  const text = await readFile(join(folder, manifestName), 'utf8');
  if (sha256(text) !== digest) throw new InvalidBundleError('its manifest is another');
  return parseManifest(text);
}

/**
 * What the file system says of every file, as one text: sizes are those of the manifest, and any later change gives another text.
 * @throws InvalidBundleError when a file is missing, or has another size or kind; the system's error.
 */
export async function printOf(folder: string, files: readonly BundleFile[]): Promise<string> {
  const hash = createHash('sha256');
  for (const { path, bytes, executable } of files) {
    const { size, ino, ctimeMs, mode } = await lstat(join(codeFolder(folder), path));
    if (mode !== (executable ? 0o100555 : 0o100444) || size !== bytes)
      throw new InvalidBundleError(`${path} is not what it was`);
    hash.update(`${ino} ${ctimeMs}\n`);
  }
  // A file that is added to a folder changes the folder.
  for (const path of foldersOf(files).keys()) {
    const { ino, ctimeMs } = await lstat(join(codeFolder(folder), path));
    hash.update(`${ino} ${ctimeMs}\n`);
  }
  return hash.digest('hex');
}

/** Folders of a bundle, its own as `''`, with how many names each has. */
function foldersOf(files: readonly BundleFile[]): ReadonlyMap<string, number> {
  const names = new Map<string, Set<string>>();
  for (const { path } of files) {
    const parts = path.split('/');
    for (let depth = 0; depth < parts.length; depth += 1) {
      const folder = parts.slice(0, depth).join('/');
      names.set(folder, (names.get(folder) ?? new Set()).add(parts[depth] ?? ''));
    }
  }
  return new Map([...names].map(([folder, { size }]) => [folder, size]));
}

/** Reads every byte. @throws InvalidBundleError when one differs, or when there is more; the system's error. */
export async function verifyBytes(folder: string, files: readonly BundleFile[]): Promise<void> {
  for (const [path, names] of foldersOf(files)) {
    if ((await readdir(join(codeFolder(folder), path))).length !== names)
      throw new InvalidBundleError(`its folder ${path === '' ? '.' : path} has other files than it should`);
  }
  for (const { path, digest } of files) {
    const hash = createHash('sha256');
    await pipeline(createReadStream(join(codeFolder(folder), path)), hash);
    if (hash.digest('hex') !== digest) throw new InvalidBundleError(`${path} has other bytes than it should`);
  }
}
