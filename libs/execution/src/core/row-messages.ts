import { limits } from '@das/contracts';

export const rowsPerMessageMax = 1_024;

/** How many of the first rows go into one message to the store: at least one, however large it is. */
export function messageLength(rows: Iterable<{ readonly bytes: number }>): number {
  let bytes = 0;
  let count = 0;
  for (const row of rows) {
    bytes += row.bytes;
    if (count > 0 && (bytes > limits.pageBytesMax || count === rowsPerMessageMax)) break;
    count += 1;
  }
  return count;
}
