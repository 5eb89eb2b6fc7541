import { readFile } from 'node:fs/promises';
import { UsageError } from '../core/parse.js';

/** A file that an option names. @throws UsageError when it cannot be read. */
export async function textOf(path: string, shown: string, field: string): Promise<string> {
  return readFile(path, 'utf8').catch((thrown: NodeJS.ErrnoException) => {
    throw unreadable(shown, field, thrown);
  });
}

export function unreadable(shown: string, field: string, { code }: NodeJS.ErrnoException): UsageError {
  const why = code === 'ENOENT' ? `there is no file ${shown}` : `${shown} cannot be read (${code ?? 'unknown'})`;
  return new UsageError(why, { field, expected: 'a file that can be read' });
}
