import { readFile } from 'node:fs/promises';
import { UsageError } from '../core/parse.js';

/** A file that an option names, as text. @throws UsageError when it cannot be read. */
export const textOf = async (path: string, shown: string, field: string): Promise<string> =>
  (await bytesOf(path, shown, field)).toString('utf8');

/** A file that an option names. @throws UsageError when it cannot be read. */
export function bytesOf(path: string, shown: string, field: string): Promise<Buffer> {
  return readFile(path).catch((thrown: NodeJS.ErrnoException) => {
    throw unreadable(shown, field, thrown);
  });
}

export function unreadable(shown: string, field: string, { code }: NodeJS.ErrnoException): UsageError {
  const why = code === 'ENOENT' ? `there is no file ${shown}` : `${shown} cannot be read (${code ?? 'unknown'})`;
  return new UsageError(why, { field, expected: 'a file that can be read' });
}
