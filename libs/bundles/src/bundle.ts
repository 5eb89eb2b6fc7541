import { createHash } from 'node:crypto';
import { Fault, limits } from '@das/contracts';
import { type BundleFile, type InvalidBundleError, manifestText } from './core/manifest.js';
import { comparePaths, normalPath } from './core/paths.js';

/** A file as it was read from a folder or an archive. */
export interface GivenFile {
  readonly path: string;
  readonly executable: boolean;
  readonly data: Uint8Array;
}

/** A job's code as a set of files, known by its digest. */
export interface Bundle {
  readonly digest: string;
  readonly files: readonly BundleFile[];
  readonly manifest: string;
  /** Contents in the order of `files`. */
  readonly contents: readonly Uint8Array[];
}

export const sha256 = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex');

/** The same files give the same digest, in whatever order and from whatever they were read. @throws InvalidBundleError. */
export function bundleOf(given: readonly GivenFile[]): Bundle {
  const entries = given
    .map(({ path, executable, data }) => ({
      file: { path: normalPath(path), executable, bytes: data.length, digest: sha256(data) },
      data,
    }))
    .sort((a, b) => comparePaths(a.file.path, b.file.path));
  const files = entries.map(({ file }) => file);
  const manifest = manifestText(files);
  return { digest: sha256(manifest), manifest, files, contents: entries.map(({ data }) => data) };
}

/** What leaves the cluster for a bundle that is not taken. */
export const invalidCode = ({ message, expected }: InvalidBundleError): Fault =>
  new Fault('CODE_INVALID', `the code bundle: ${message}`, { field: 'code', expected });

/** Begins every pack. */
export const packMagic = 'DASB';

/**
 * A bundle as it travels and is stored: `DASB`, the manifest's length (4 bytes, little-endian), the manifest, the contents in its order. Not
 * compressed, so that one bundle is one sequence of bytes, whoever writes it. In chunks of a page, the last one shorter.
 */
export function* packChunks({ manifest, contents }: Bundle): Generator<Uint8Array, void> {
  const text = Buffer.from(manifest);
  const head = Buffer.alloc(8);
  head.write(packMagic, 'latin1');
  head.writeUInt32LE(text.length, 4);
  let waiting: Uint8Array[] = [];
  let bytes = 0;
  for (const piece of [head, text, ...contents]) {
    for (let at = 0; at < piece.length;) {
      const part = piece.subarray(at, at + limits.pageBytesMax - bytes);
      waiting.push(part);
      bytes += part.length;
      at += part.length;
      if (bytes < limits.pageBytesMax) continue;
      yield Buffer.concat(waiting);
      [waiting, bytes] = [[], 0];
    }
  }
  if (bytes > 0) yield Buffer.concat(waiting);
}
