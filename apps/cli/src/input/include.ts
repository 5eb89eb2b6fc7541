import { stat } from 'node:fs/promises';
import { posix, relative, resolve, sep } from 'node:path';
import { type FoundFile, listFolder } from '@das/bundles';
import { globPattern, hasWildcard } from '../core/glob.js';
import { UsageError } from '../core/parse.js';

/**
 * The files that `--include` names, below the script's folder: a file whatever the rules of that folder say of it, of folders and patterns
 * what they leave in. @throws UsageError when one names nothing, or something outside.
 */
export async function includedFiles(root: string, wanted: readonly string[]): Promise<FoundFile[]> {
  const found: FoundFile[] = [];
  let all: readonly FoundFile[] | undefined;
  for (const given of wanted) {
    const path = below(root, given);
    const kind = await stat(resolve(root, path)).catch(() => undefined);
    if (kind?.isFile() === true) {
      found.push({ path, full: resolve(root, path) });
      continue;
    }
    if (kind === undefined && !hasWildcard(path)) throw nothing(given);
    all ??= await listFolder(root);
    const matches = kind === undefined ? matching(globPattern(path)) : inside(path);
    const files = all.filter((file) => matches(file.path));
    if (files.length === 0) throw nothing(given);
    found.push(...files);
  }
  return found;
}

function below(root: string, given: string): string {
  const path = posix.normalize(relative(root, resolve(root, given)).split(sep).join('/'));
  if (path !== '..' && !path.startsWith('../') && !path.startsWith('/')) return path;
  throw new UsageError(`${given} lies outside the script's folder`, {
    field: '--include',
    expected: 'a path below it',
    hint: 'run the folder that has both: das run FOLDER --entry SCRIPT',
  });
}

const matching = (pattern: RegExp) => (path: string) => pattern.test(path);
const inside = (folder: string) => (path: string) => folder === '.' || path.startsWith(`${folder}/`);

const nothing = (given: string): UsageError =>
  new UsageError(`--include ${given} names no file`, {
    field: '--include',
    expected: "a file, folder or pattern below the script's folder",
    hint: '.dasignore, and the rules that hold without it, leave some files out',
  });
