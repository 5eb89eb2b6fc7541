import type { CommitRequest, OutputKind, OutputRow, PartKind, Range } from '@das/contracts';
import { type InvalidRequestError, invalid } from './job-rules-refusal.js';
import type { StoredPart } from './job-rules.js';

const rowKinds: Readonly<Record<PartKind, readonly OutputKind[]>> = {
  split: [],
  map: ['map', 'shuffle'],
  reduce: ['reduce'],
  gather: ['gather'],
  main: ['main'],
  hook: [],
};

/**
 * Refuses a commit that would break the partition of the cut range, or rows that do not belong to it.
 * @throws InvalidRequestError; nothing was written. A defect of the sender: the same request fails again.
 */
export function checkCommit(part: StoredPart, request: CommitRequest): void {
  if (request.fatal !== undefined) return checkFatal(request);
  checkPartition(part, request);
  checkRows(part, request.done, request.rows);
  const finished = part.kind === 'split' && request.done.length > 0;
  if (finished !== (request.sealed !== undefined))
    throw invalid('sealed', 'the number of items, exactly when `split` is done');
}

function checkFatal(request: CommitRequest): void {
  const alone = request.done.length + request.failures.length + request.rows.length === 0 && !request.sealed;
  if (!alone) throw invalid('fatal', 'no done items, failures, rows or seal beside it: the part failed as a whole');
}

function checkPartition(part: StoredPart, request: CommitRequest): void {
  const failed = request.failures.map(({ item }) => ({ from: item, to: item + 1 }));
  const pieces = [...request.done, ...failed, ...request.unfinished].sort((a, b) => a.from - b.from || a.to - b.to);
  let at = part.from;
  for (const piece of pieces) {
    if (piece.from !== at || piece.to <= piece.from || piece.to > part.to) throw notAPartition(part, piece);
    at = piece.to;
  }
  if (at !== part.to) throw notAPartition(part, { from: at, to: part.to });
  if (request.done.length + request.failures.length === 0)
    throw invalid('unfinished', 'something done or failed; give the attempt back instead of committing nothing');
}

function notAPartition(part: StoredPart, piece: Range): InvalidRequestError {
  return invalid(
    'done',
    `done, failures and unfinished to partition items ${part.from} to ${part.to} of ${part.part}; it breaks at [${piece.from}, ${piece.to})`,
  );
}

/**
 * Rows lie inside what is done, and no two have one place.
 * @throws InvalidRequestError; nothing was written.
 */
export function checkRows(part: StoredPart, done: readonly Range[], rows: readonly OutputRow[]): void {
  const places = new Set<string>();
  for (const row of rows) {
    const place = `${row.kind} ${row.bucket} ${row.from} ${row.seq}`;
    if (places.has(place)) throw invalid('rows', `one row at ${place}`);
    places.add(place);
    if (!rowKinds[part.kind].includes(row.kind)) throw invalid('rows', `no ${row.kind} rows from ${part.part}`);
    if (!rowInside(part.kind, done, row)) throw invalid('rows', `row ${place} to lie in what is done`);
  }
}

/** Whether a row belongs to the done ranges; rows of a step belong to the step. */
export function rowInside(kind: PartKind, done: readonly Range[], row: Pick<OutputRow, 'from' | 'to'>): boolean {
  if (kind !== 'map') return done.some(({ from, to }) => row.from >= from && row.from < to);
  return row.to > row.from && done.some(({ from, to }) => row.from >= from && row.to <= to);
}
