import { type Failure, type Range, limits } from '@das/contracts';

export type ItemFailure = Failure & { readonly item: number };

/** How a part ended: `done`, failed items and `unfinished` partition its range, each in order. */
export interface PartOutcome {
  readonly done: readonly Range[];
  readonly failures: readonly ItemFailure[];
  readonly unfinished: readonly Range[];
}

/**
 * The outcome of a part whose worker ended by itself or gave the rest back. Items up to `receivedUpTo` were told: each has a result
 * unless it is among the failures.
 */
export function partOutcome(range: Range, receivedUpTo: number, failures: readonly ItemFailure[] = []): PartOutcome {
  return {
    done: without(
      { from: range.from, to: receivedUpTo },
      failures.map(({ item }) => item),
    ),
    failures,
    unfinished: ranges({ from: receivedUpTo, to: range.to }),
  };
}

/**
 * The outcome of a part whose worker died: what was received stays, the item it was at is the suspect and fails, the rest is unfinished.
 * `currentItem` is the worker's own word, written without a message, so it may lie outside of what is open: then the first open item is blamed.
 */
export function crashOutcome(
  range: Range,
  receivedUpTo: number,
  currentItem: number | undefined,
  reason: Failure,
  failures: readonly ItemFailure[] = [],
): PartOutcome {
  const told = partOutcome(range, receivedUpTo, failures);
  const open = { from: receivedUpTo, to: range.to };
  // Full already: the suspect gets its turn with the rest.
  if (open.from === open.to || failures.length >= limits.failuresPerCommitMax) return told;
  const suspect = currentItem !== undefined && inside(open, currentItem) ? currentItem : open.from;
  return { ...told, failures: [...failures, { ...reason, item: suspect }], unfinished: without(open, [suspect]) };
}

const inside = ({ from, to }: Range, item: number): boolean => item >= from && item < to;

/** The range as a list: an empty one is none. */
const ranges = (range: Range): Range[] => (range.from < range.to ? [range] : []);

/** The parts of a range between the given items, which are in order. */
function without(range: Range, items: readonly number[]): Range[] {
  const pieces: Range[] = [];
  let from = range.from;
  for (const item of items) {
    pieces.push(...ranges({ from, to: item }));
    from = item + 1;
  }
  return [...pieces, ...ranges({ from, to: range.to })];
}

/** How many items are done. */
export const itemsDone = (outcome: PartOutcome): number =>
  outcome.done.reduce((sum, { from, to }) => sum + to - from, 0);
