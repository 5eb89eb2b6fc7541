import { limits } from '@das/contracts';

/** A newline in a name would forge a line of the manifest. */
const controls = /[\u0000-\u001f\u007f]/;

/**
 * Why a path cannot be that of a file in a bundle, in words; undefined: it can.
 * Whoever unpacks a bundle joins it to a folder, so nothing that leaves the folder may pass.
 */
export function pathFault(path: string): string | undefined {
  if (path === '') return 'the name is empty';
  if (path.length > limits.bundlePathChars) return `the path is longer than ${limits.bundlePathChars} characters`;
  if (controls.test(path)) return 'the name has a control character';
  if (/\p{Surrogate}/u.test(path)) return 'the name is not valid Unicode';
  if (path.includes('\\')) return 'the path has a backslash; folders are parted by /';
  if (path.startsWith('/') || /^[A-Za-z]:\//.test(path)) return 'the path is absolute';
  const parts = path.split('/');
  if (parts.includes('..')) return 'the path leaves the bundle (..)';
  if (parts.includes('.') || parts.includes('')) return 'the path has an empty part or a part "."';
  return undefined;
}

/** The one spelling of a name: file systems differ in how they write accents (Unicode NFC), archives in how they begin. */
export const normalPath = (path: string): string => path.normalize('NFC').replace(/^(?:\.\/)+/, '');

/** Byte order of UTF-8, which is the order of code points: the same on every machine, whatever its language. */
export function comparePaths(a: string, b: string): number {
  const [left, right] = [[...a], [...b]];
  for (let at = 0; at < left.length && at < right.length; at += 1) {
    const difference = (left[at]?.codePointAt(0) ?? 0) - (right[at]?.codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/** A path that is a file here and a folder there; undefined: none. */
export function fileAsFolder(paths: readonly string[]): string | undefined {
  const files = new Set(paths);
  for (const path of paths)
    for (let end = path.indexOf('/'); end >= 0; end = path.indexOf('/', end + 1))
      if (files.has(path.slice(0, end))) return path.slice(0, end);
  return undefined;
}

/** Paths that are one on a machine whose file system takes `A` for `a`: they work here, and not everywhere. */
export function sameButForCase(paths: readonly string[]): ReadonlyArray<readonly [string, string]> {
  const seen = new Map<string, string>();
  const pairs: Array<readonly [string, string]> = [];
  for (const path of paths) {
    const first = seen.get(path.toLowerCase());
    if (first === undefined) seen.set(path.toLowerCase(), path);
    else pairs.push([first, path]);
  }
  return pairs;
}
