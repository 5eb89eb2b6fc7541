import { limits } from '@das/contracts';
import { comparePaths, fileAsFolder, pathFault } from './paths.js';

/** A file of a bundle. */
export interface BundleFile {
  /** Below the bundle's folder, parted by `/`. */
  readonly path: string;
  readonly executable: boolean;
  readonly bytes: number;
  /** SHA-256 of its bytes, in hex. */
  readonly digest: string;
}

/** It is no bundle, or not one that is taken. */
export class InvalidBundleError extends Error {
  constructor(
    message: string,
    readonly expected?: string,
  ) {
    super(message);
    this.name = 'InvalidBundleError';
  }
}

/** Leads every manifest, so that another way of writing it one day gives other digests. */
const format = 'das-bundle-1';
/** The longest manifest: every file with the longest path, four bytes a character. */
export const manifestBytesMax = 64 + limits.bundleFilesMax * (90 + 4 * limits.bundlePathChars);

/**
 * What the digest of a bundle is the SHA-256 of, as UTF-8: a first line, and one line `x|- <digest> <bytes> <path>` for each file in the order
 * of paths. Nothing of archive, time, owner or compression is in it.
 * @throws InvalidBundleError
 */
export function manifestText(files: readonly BundleFile[]): string {
  const sorted = [...files].sort((a, b) => comparePaths(a.path, b.path));
  checkFiles(sorted);
  const lines = sorted.map((file) => `${file.executable ? 'x' : '-'} ${file.digest} ${file.bytes} ${file.path}\n`);
  return `${format}\n${lines.join('')}`;
}

const line = /^([x-]) ([0-9a-f]{64}) (0|[1-9]\d{0,9}) (.+)$/;

/** @throws InvalidBundleError unless it is, to the byte, what {@link manifestText} writes. */
export function parseManifest(text: string): BundleFile[] {
  const [first, ...lines] = text.split('\n');
  if (first !== format || lines.pop() !== '') throw new InvalidBundleError('the manifest is not one', format);
  const files = lines.map((entry) => {
    const [, mode, digest, bytes, path] = line.exec(entry) ?? [];
    if (digest === undefined || path === undefined) throw new InvalidBundleError('a line of the manifest is not one');
    return { path, executable: mode === 'x', bytes: Number(bytes), digest };
  });
  checkFiles(files);
  return files;
}

/** Sorted, each path once, all within the bounds. */
function checkFiles(files: readonly BundleFile[]): void {
  if (files.length === 0) throw new InvalidBundleError('there is no file in it', 'at least the script');
  checkCount(files.length);
  for (const [index, { path }] of files.entries()) {
    const fault = pathFault(path);
    if (fault !== undefined) throw new InvalidBundleError(`${shown(path)}: ${fault}`);
    const before = files[index - 1]?.path;
    if (before === path) throw new InvalidBundleError(`${shown(path)} is there twice`, 'each path once');
    if (before !== undefined && comparePaths(before, path) > 0)
      throw new InvalidBundleError('the manifest is not in order');
  }
  const both = fileAsFolder(files.map(({ path }) => path));
  if (both !== undefined) throw new InvalidBundleError(`${shown(both)} is a file and a folder`);
  checkBytes(bytesOf(files));
}

/** @throws InvalidBundleError past `limits.bundleFilesMax`. */
export function checkCount(count: number): void {
  if (count <= limits.bundleFilesMax) return;
  throw new InvalidBundleError(`more than ${limits.bundleFilesMax} files`, 'fewer files; .dasignore leaves some out');
}

/** @throws InvalidBundleError past `limits.bundleBytesMax`. */
export function checkBytes(bytes: number): void {
  if (bytes <= limits.bundleBytesMax) return;
  const mib = limits.bundleBytesMax / (1024 * 1024);
  throw new InvalidBundleError(`its files have more than ${mib} MiB`, 'less; data belongs into items');
}

/** All its files together. */
export const bytesOf = (files: readonly BundleFile[]): number => files.reduce((sum, { bytes }) => sum + bytes, 0);

/** A name from outside, for a message. */
export const shown = (path: string): string => JSON.stringify(path.slice(0, 120));
