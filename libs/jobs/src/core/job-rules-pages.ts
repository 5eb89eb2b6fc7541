import type { OutputRow } from '@das/contracts';

/** A stored block with its uncompressed bytes. */
export interface ItemBlock {
  readonly from: number;
  readonly to: number;
  readonly bytes: Uint8Array;
}

const newline = 10;

/** Lines of items [from, to) out of blocks in order, up to a page; `to` of the answer says how far it got. Stops before a block that is not stored. */
export function itemsPage(
  blocks: Iterable<ItemBlock>,
  from: number,
  to: number,
  pageBytes: number,
): { to: number; pieces: Uint8Array[] } {
  const pieces: Uint8Array[] = [];
  let at = from;
  let left = pageBytes;
  for (const block of blocks) {
    if (at >= to || block.from > at) break;
    if (block.to <= at) continue;
    const start = skipLines(block.bytes, 0, at - block.from);
    const fitted = fitLines(block.bytes, start, Math.min(to, block.to) - at, left);
    if (fitted.lines > 0) pieces.push(block.bytes.subarray(start, fitted.end));
    at += fitted.lines;
    left -= fitted.end - start;
    if (at < Math.min(to, block.to)) break;
  }
  return { to: at, pieces };
}

/** Offset after `lines` lines from `start`; the end when there are fewer. */
function skipLines(bytes: Uint8Array, start: number, lines: number): number {
  let at = start;
  for (let n = 0; n < lines; n++) {
    const end = bytes.indexOf(newline, at);
    if (end < 0) return bytes.length;
    at = end + 1;
  }
  return at;
}

function fitLines(bytes: Uint8Array, start: number, lines: number, left: number): { lines: number; end: number } {
  let at = start;
  for (let n = 0; n < lines; n++) {
    const end = bytes.indexOf(newline, at);
    if (end < 0 || end + 1 - start > left) return { lines: n, end: at };
    at = end + 1;
  }
  return { lines, end: at };
}

/** How many lines a block of NDJSON has; `undefined` when its last line is not ended. */
export function countLines(bytes: Uint8Array): number | undefined {
  if (bytes.length > 0 && bytes[bytes.length - 1] !== newline) return undefined;
  let lines = 0;
  for (let at = bytes.indexOf(newline); at >= 0; at = bytes.indexOf(newline, at + 1)) lines++;
  return lines;
}

export interface OutputAsk {
  readonly after?: { readonly from: number; readonly seq: number } | undefined;
  readonly contiguousFrom?: number | undefined;
  readonly skipFailed: boolean;
}

export type OutputHead = OutputRow & { readonly failed: boolean };

/**
 * Chooses a page out of rows after the cursor, in order. At least one row, however large. `more`: another page can be had now.
 * `scanned`: the last row looked at, for callers that hold only some of the rows (`all` false).
 */
export function outputPage<R extends OutputHead>(
  rows: readonly R[],
  ask: OutputAsk,
  all: boolean,
  pageBytes: number,
): { rows: R[]; more: boolean; gap: boolean; scanned: R | undefined } {
  const chosen: R[] = [];
  let expected = ask.contiguousFrom;
  let last = ask.after?.from;
  let bytes = 0;
  let scanned: R | undefined;
  for (const row of rows) {
    if (expected !== undefined && row.from > expected && row.from !== last)
      return { rows: chosen, more: false, gap: true, scanned };
    if (!(ask.skipFailed && row.failed)) {
      if (chosen.length > 0 && bytes + row.bytes > pageBytes) return { rows: chosen, more: true, gap: false, scanned };
      chosen.push(row);
      bytes += row.bytes;
    }
    last = row.from;
    if (expected !== undefined) expected = Math.max(expected, row.to);
    scanned = row;
  }
  return { rows: chosen, more: !all, gap: false, scanned };
}
