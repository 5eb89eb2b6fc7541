import type { CommitRequest, Failure, Range } from '@das/contracts';
import type { PartId } from '@das/kernel';
import { checkCommit } from './commit-check.js';
import { invalid } from './job-rules-refusal.js';
import { type JobFacts, type StoredAttempt, type StoredPart, freshPart, jobEnded, partOpen } from './job-rules.js';
import { partIdOf } from './part-id.js';

/** What a commit finds: its job, its part with all attempts (absent when unknown), and the store's time. */
export interface CommitInput {
  readonly job: JobFacts;
  readonly part: StoredPart | undefined;
  readonly request: CommitRequest;
  readonly now: number;
}

/** A line of the output in the place of an item that failed for good. */
export interface ErrorLine {
  readonly item: number;
  readonly text: string;
}

export interface Committed {
  readonly outcome: 'committed';
  /** Rows that end now. The part itself is always among them: committed or failed whole, or `replaced` by the others. */
  readonly settled: readonly StoredPart[];
  /** New pending parts: one per item to be tried again, one per unfinished range. */
  readonly children: readonly StoredPart[];
  /** Items that failed for good. */
  readonly failed: readonly Failure[];
  readonly errorLines: readonly ErrorLine[];
  /** The number of items is final: the job is sealed in the same transaction. */
  readonly sealed: number | undefined;
}

export type CommitDecision =
  | Committed
  /** The same attempt again, told from what is stored: of `children` those still open, of `failed` the failures of those that did fail. */
  | { readonly outcome: 'alreadyCommitted'; readonly children: readonly PartId[]; readonly failed: readonly PartId[] }
  /** `split` ended after other items than an earlier attempt stored: the job starts again under a new generation. */
  | { readonly outcome: 'itemsDiffer'; readonly why: string }
  | { readonly outcome: 'staleAttempt' | 'jobEnded' };

/**
 * Judges one attempt's outcome (DESIGN §4.2 rules 1-3): accepted iff the attempt is live, its part open and the job not ended, whichever term assigned it.
 * @throws InvalidRequestError when what it says is not a partition of the part's range.
 */
export function decideCommit({ job, part, request, now }: CommitInput): CommitDecision {
  const { generation, attempt: number } = request.attempt;
  const attempt = generation === job.generation ? part?.attempts.find((a) => a.attempt === number) : undefined;
  if (part && attempt?.state === 'committed') return again(job, part, request);
  if (jobEnded(job.state)) return { outcome: 'jobEnded' };
  if (!part || attempt?.state !== 'live' || !partOpen(part)) return { outcome: 'staleAttempt' };
  checkCommit(part, request);
  if (request.sealed && request.sealed.items !== job.items) return judgeItems(job.items, request.sealed.items);
  return settle(job, part, endAttempts(part, number, now), request);
}

/** Ids only: another life of the attempt may ask with another outcome than the one that was committed. */
function again(job: JobFacts, part: StoredPart, request: CommitRequest): CommitDecision {
  if (request.fatal || part.fatal) return { outcome: 'alreadyCommitted', children: [], failed: [part.part] };
  return {
    outcome: 'alreadyCommitted',
    children: childrenOf(job, part, request).map((child) => child.part),
    failed: finalFailures(job, part, request).map(({ item }) => partIdOf(part.kind, item, item + 1, part.tries)),
  };
}

function judgeItems(stored: number, yielded: number): CommitDecision {
  if (yielded > stored) throw invalid('sealed', `${yielded} items to be stored before; ${stored} are`);
  return {
    outcome: 'itemsDiffer',
    why: `split() yielded ${yielded} items, but an earlier attempt yielded at least ${stored}`,
  };
}

/** The committing attempt wins; its twins end. */
function endAttempts(part: StoredPart, winner: number, now: number): readonly StoredAttempt[] {
  return part.attempts.map((a) => {
    if (a.attempt === winner) return { ...a, state: 'committed', endedAt: now };
    return a.state === 'live' ? { ...a, state: 'ended', endedAt: now, why: 'another attempt committed' } : a;
  });
}

function settle(
  job: JobFacts,
  part: StoredPart,
  attempts: readonly StoredAttempt[],
  request: CommitRequest,
): Committed {
  const ended = { ...part, attempts, avoid: undefined };
  if (request.fatal) {
    const failure = { ...request.fatal, part: part.part, node: request.node };
    const settled: StoredPart = { ...ended, state: 'failed', failure, fatal: true, busyMs: request.busyMs };
    return { ...nothing, settled: [settled], failed: [failure] };
  }
  const failed = finalFailures(job, part, request);
  const winner = attempts.filter((a) => a.state === 'committed');
  const pieces = [
    ...request.done.map((range) => piece(ended, range, winner)),
    ...failed.map((f) => failedPiece(ended, f, winner)),
  ];
  const [only] = pieces;
  const whole = only !== undefined && only.from === part.from && only.to === part.to;
  const settled = whole
    ? [{ ...only, attempts, busyMs: request.busyMs }]
    : [{ ...ended, state: 'replaced' as const }, ...spread(pieces, request.busyMs)];
  const errorLines = part.kind === 'map' && !job.reduces ? failed.map(errorLine) : [];
  return {
    outcome: 'committed',
    settled,
    children: childrenOf(job, part, request),
    failed,
    errorLines,
    sealed: request.sealed?.items,
  };
}

const nothing: Committed = {
  outcome: 'committed',
  settled: [],
  children: [],
  failed: [],
  errorLines: [],
  sealed: undefined,
};

const piece = (part: StoredPart, range: Range, attempts: readonly StoredAttempt[]): StoredPart => ({
  ...freshPart(part.kind, range.from, range.to, part.tries),
  state: 'committed',
  attempts,
});

const failedPiece = (part: StoredPart, failure: FinalFailure, attempts: readonly StoredAttempt[]): StoredPart => ({
  ...piece(part, { from: failure.item, to: failure.item + 1 }, attempts),
  state: 'failed',
  failure,
  /** A step has nothing to go on with. */
  fatal: part.kind === 'map' ? undefined : true,
});

/** The attempt's time is shared out by items, so that sums over parts stay what was measured. */
function spread(pieces: readonly StoredPart[], busyMs: number): StoredPart[] {
  const items = pieces.reduce((sum, { from, to }) => sum + to - from, 0);
  return pieces.map((p) => ({ ...p, busyMs: (busyMs * (p.to - p.from)) / items }));
}

type FinalFailure = Failure & { readonly item: number };

const triesLeft = (job: JobFacts, part: StoredPart): boolean => part.tries < job.retries;

function finalFailures(job: JobFacts, part: StoredPart, request: CommitRequest): FinalFailure[] {
  if (triesLeft(job, part)) return [];
  return request.failures.map((failure) => ({ ...failure, part: part.part, node: request.node }));
}

function childrenOf(job: JobFacts, part: StoredPart, request: CommitRequest): StoredPart[] {
  const again = triesLeft(job, part) ? request.failures : [];
  return [
    ...again.map(({ item }) => freshPart(part.kind, item, item + 1, part.tries + 1, request.node)),
    ...request.unfinished.map(({ from, to }) => freshPart(part.kind, from, to, part.tries)),
  ];
}

function errorLine({ item, code, message }: FinalFailure): ErrorLine {
  return { item, text: `${JSON.stringify({ $error: { code, message, item } })}\n` };
}
