import {
  type Decision,
  type Failure,
  type JobState,
  type OutputRow,
  type PartKind,
  type ReplyOf,
  type RequestOf,
  type advanceJob,
  type cancelJob,
  type commitPart,
} from '@das/contracts';
import { invalid } from './job-rules-refusal.js';
import { decideEnd, decideOutcome, needsHook } from './job-rules-outcome.js';
import { type JobFacts, type StoredPart, freshPartOf, jobEnded } from './job-rules.js';

export type AdvanceRequest = RequestOf<typeof advanceJob>;
export type AdvanceOutcome = ReplyOf<typeof advanceJob>['outcome'];

export interface AdvanceDecision {
  readonly outcome: AdvanceOutcome;
  /** Absent: the job stays as it is (refused, or the same asked again). */
  readonly to?: JobState;
  readonly parts: readonly StoredPart[];
  /** Why the job failed, when it ends so. */
  readonly failure?: Failure | undefined;
  /** Made now: the job settles. */
  readonly decision?: Decision;
  /** Why its hook failed, when the job ends. */
  readonly hookFailure?: Failure | undefined;
}

/** What the store has of the job's parts, in its generation. */
export interface PartTally {
  /** At least one when any is open. */
  readonly open: number;
  /** Items that failed for good. */
  readonly failed: number;
  /** A step failed, or a part as a whole. */
  readonly fatal: boolean;
  /** Why the hook failed for good. Asked for of settling jobs only. */
  readonly hook?: Failure | undefined;
}

/** Where a leader may move a job; the other moves are the submitter's or the store's. A sealed job has each of them (`jobTransitions`). */
const targets: readonly JobState[] = ['gathering', 'succeeded', 'failed'];
const stepKinds: readonly PartKind[] = ['reduce', 'gather', 'main'];

/**
 * Moves a job on, once every item has its result; to `failed` at any time. Asked under the job's lock, so no commit is between.
 * A leader that did not hear of a failure must not end the job well: `partsOpen` makes it read the job again.
 * Where the script has a hook for the end that is asked for, the job settles first, and comes to that end and no other when asked again.
 * @throws InvalidRequestError for a move that the machine does not have; nothing was written.
 */
export function decideAdvance(job: JobFacts, tally: PartTally, request: AdvanceRequest, now: number): AdvanceDecision {
  const { to } = request;
  const stay = (outcome: AdvanceOutcome): AdvanceDecision => ({ outcome, parts: [] });
  if (!targets.includes(to)) throw invalid('to', `one of ${targets.join(', ')}`);
  if (request.generation !== job.generation) return stay(jobEnded(job.state) ? 'jobEnded' : 'partsOpen');
  if (job.state === to) return stay('advanced');
  if (jobEnded(job.state)) return stay('jobEnded');
  if (job.decision) return decideEnd(job.decision, tally, request);
  if (to !== 'failed' && !mayMoveOn(job, tally, request.failed)) return stay('partsOpen');
  const steps = request.parts.map(freshPartOf);
  if (steps.some((step, i) => step.part !== request.parts[i]?.part || !stepKinds.includes(step.kind)))
    throw invalid('parts', 'reduce, gather or main parts, with the ids that their ranges make');
  if (steps.length > 0 && to !== 'gathering') throw invalid('parts', 'none: the job ends');
  if (needsHook(job, to)) return decideOutcome(request, to, now);
  return { outcome: 'advanced', to, parts: steps, failure: request.failure };
}

function mayMoveOn(job: JobFacts, { open, failed, fatal }: PartTally, known: number | undefined): boolean {
  return open === 0 && job.sealed && job.cut >= job.items && !fatal && (known ?? failed) === failed;
}

/**
 * Whether a job has succeeded with the commit of a part, so that no leader is left anything to decide: nothing is open or failed, and no step and no
 * hook follows. Asked in that commit's transaction, with the job held for update and the commit written. Whatever this denies, a leader decides.
 */
export function endsWith(kind: PartKind, job: JobFacts & { readonly gathers: boolean }, tally: PartTally): boolean {
  if (job.decision || needsHook(job, 'succeeded') || !mayMoveOn(job, tally, 0)) return false;
  return isFinalStep(kind, job.state, job);
}

/** Whether nothing but its end, and perhaps a hook, follows once the parts of that kind are committed. */
export function isFinalStep(
  kind: PartKind,
  state: JobState,
  { reduces, gathers }: { readonly reduces: boolean; readonly gathers: boolean },
): boolean {
  if (state === 'gathering') return kind === 'gather';
  return state === 'running' && (kind === 'main' || (kind === 'map' && !reduces && !gathers));
}

/** Whether a commit that is told again ended its job: its first answer, and what was announced with it, may be lost. */
export const endedAlready = ({ last }: Pick<RequestOf<typeof commitPart>, 'last'>, job: JobFacts): boolean =>
  last === true && job.state === 'succeeded';

/** Whether these rows, of a commit of that part, are all of the job's result, as its readers get it. */
export function isWhole(part: StoredPart, { items }: JobFacts, rows: readonly OutputRow[]): boolean {
  if (part.kind === 'map' && (part.from > 0 || part.to < items)) return false;
  const fits = rows.every(({ kind, bucket }) => kind === part.kind && bucket === 0);
  const follows = (row: OutputRow, before: OutputRow | undefined): boolean =>
    before === undefined || before.from < row.from || (before.from === row.from && before.seq < row.seq);
  return fits && rows.every((row, i) => follows(row, rows[i - 1]));
}

/** Whether a cancel takes hold. Twice is fine; a decided job cannot be cancelled any more. */
export function decideCancel(state: JobState | undefined): ReplyOf<typeof cancelJob>['outcome'] {
  if (state === undefined) return 'unknown';
  if (state === 'cancelled') return 'alreadyCancelled';
  if (state === 'settling') return 'decided';
  return jobEnded(state) ? 'ended' : 'cancelled';
}
