import { readFile, readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { limits } from '@das/contracts';
import type { Found } from '../core/formats.js';
import { globBase, globPattern, hasWildcard } from '../core/glob.js';
import { UsageError } from '../core/parse.js';

/** A file that becomes an item. */
export interface FileItem {
  readonly path: string;
  /** Shown to the script: relative to the folder (or the fixed part of the pattern), with `/`. */
  readonly name: string;
}

/** More files than that are refused rather than listed in memory. */
const filesMax = 1_000_000;

/** What is at a path. */
export async function findInput(path: string): Promise<Found> {
  if (path === '-') return 'stdin';
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) return 'folder';
  if (found) return 'file';
  if (!hasWildcard(path)) return 'nothing';
  return (await listFiles(path, 'glob')).length > 0 ? 'glob' : 'nothing';
}

/** The files of a folder or pattern, by name. Hidden ones (`.x`) only if the pattern names them. @throws UsageError for too many. */
export async function listFiles(path: string, found: Found): Promise<FileItem[]> {
  if (found === 'file') return [{ path, name: basename(path) }];
  const base = found === 'glob' ? globBase(path) : path;
  const pattern = found === 'glob' ? globPattern(path) : undefined;
  const files: FileItem[] = [];
  for await (const name of walk(base || '.', '')) {
    const full = join(base, name);
    if (pattern && !pattern.test(full) && !pattern.test(`./${full}`)) continue;
    files.push({ path: full, name });
    if (files.length > filesMax) throw new UsageError(`${path} has more than ${filesMax} files`, { field: '--input' });
  }
  return files.sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function* walk(base: string, below: string): AsyncGenerator<string, void> {
  for (const entry of await readdir(join(base, below), { withFileTypes: true })) {
    if (entry.name.startsWith('.')) continue;
    const name = below === '' ? entry.name : `${below}/${entry.name}`;
    const path = join(base, name);
    const kind = entry.isSymbolicLink() ? await stat(path).catch(() => undefined) : entry;
    if (entry.isDirectory()) yield* walk(base, name);
    else if (kind?.isFile()) yield name;
  }
}

/** `{"name","text"}` per file, or `{"name","base64"}` when it is not UTF-8; one line each, one file in memory at a time. */
export async function* fileItems(files: readonly FileItem[]): AsyncGenerator<Uint8Array, void> {
  for (const { path, name } of files) {
    const bytes = await readFile(path);
    const line = Buffer.from(`${JSON.stringify({ name, ...content(bytes) })}\n`);
    if (line.length - 1 > limits.itemBytesMax) {
      throw new UsageError(`${path} is too large for one item (${line.length - 1} bytes as JSON)`, {
        field: '--input',
        expected: `at most ${limits.itemBytesMax} bytes for each file`,
        hint: 'give the file itself with --format lines, or split it into several',
      });
    }
    yield line;
  }
}

function content(bytes: Buffer): { text: string } | { base64: string } {
  try {
    return { text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    return { base64: bytes.toString('base64') };
  }
}
