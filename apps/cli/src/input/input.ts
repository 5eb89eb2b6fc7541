import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import { type Format, formatOf } from '../core/formats.js';
import type { World } from '../world.js';
import { fileItems, findInput, listFiles } from './files.js';

/** Items on their way to a node. */
export interface Upload {
  /** As the API knows it: files arrive as NDJSON. */
  readonly format: 'ndjson' | 'lines';
  readonly body: AsyncIterable<Uint8Array>;
  /** The same bytes from the start, for another try; what is piped in comes once. */
  readonly reopen?: () => AsyncIterable<Uint8Array>;
  /** A folder without files. */
  readonly empty?: boolean;
}

/** Opens `--input`. @throws UsageError when there is nothing, or the format does not fit. Nothing is read yet. */
export async function openInput(
  path: string,
  wanted: Format | undefined,
  { cwd, stdin }: Pick<World, 'cwd' | 'stdin'>,
): Promise<Upload> {
  const full = path === '-' ? '-' : resolve(cwd, path);
  const found = await findInput(full);
  const format = formatOf(path, found, wanted);
  if (format === 'files') {
    const files = await listFiles(full, found);
    const reopen = (): AsyncIterable<Uint8Array> => fileItems(files);
    return { format: 'ndjson', body: reopen(), reopen, empty: files.length === 0 };
  }
  if (found === 'stdin') return { format, body: stdin as AsyncIterable<Uint8Array> };
  const reopen = (): AsyncIterable<Uint8Array> => createReadStream(full);
  return { format, body: reopen(), reopen };
}
