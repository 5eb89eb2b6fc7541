import { closeSync, fstatSync, mkdirSync, openSync, readSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** A log is put aside (as `.1`, the former `.1` is dropped) when a process starts and finds it larger than this. */
const logBytesMax = 16 * 1024 * 1024;
const tailBytes = 8 * 1024;

/** Opens a log for a child process to append to; the caller closes the descriptor. */
export function openLog(file: string): number {
  mkdirSync(dirname(file), { recursive: true });
  const bytes = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (bytes > logBytesMax) renameSync(file, `${file}.1`);
  return openSync(file, 'a', 0o600);
}

/** The last line that has something in it; `undefined` for an empty or missing log. */
export function lastLine(file: string): string | undefined {
  if (statSync(file, { throwIfNoEntry: false }) === undefined) return undefined;
  const log = openSync(file, 'r');
  try {
    const { size } = fstatSync(log);
    const tail = Buffer.alloc(Math.min(size, tailBytes));
    readSync(log, tail, 0, tail.length, size - tail.length);
    return tail
      .toString('utf8')
      .split('\n')
      .filter((line) => line.trim() !== '')
      .at(-1);
  } finally {
    closeSync(log);
  }
}
