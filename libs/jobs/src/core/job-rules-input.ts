import type {
  AttemptRef,
  BlockHead,
  InputKind,
  JobState,
  ReplyOf,
  RequestOf,
  appendBlock,
  createJob,
  sealJob,
} from '@das/contracts';
import { invalid } from './job-rules-refusal.js';
import { type JobFacts, type StoredPart, freshPart, jobEnded, partOpen } from './job-rules.js';

export type CreateRequest = RequestOf<typeof createJob>;
export type AppendRequest = RequestOf<typeof appendBlock>;
export type AppendOutcome = ReplyOf<typeof appendBlock>['outcome'];

export interface FirstState {
  readonly state: JobState;
  readonly sealed: boolean;
  readonly items: number;
}

/** The state a job starts in: running when its items are known, splitting when `split` yields them, else submitted until its upload is sealed. */
export function firstState({ spec, items, block }: CreateRequest): FirstState {
  const { input } = spec;
  if (input.kind === 'none') return { state: 'running', sealed: true, items: 0 };
  if (input.kind === 'range') return { state: 'running', sealed: true, items: rangeItems(input) };
  if (input.kind === 'split') return { state: 'splitting', sealed: false, items: 0 };
  if (items === undefined && block === undefined) return { state: 'submitted', sealed: false, items: 0 };
  const stored = block?.to ?? 0;
  if (block && (block.no !== 0 || block.from !== 0)) throw invalid('block', 'the first block, from item 0');
  if ((items ?? stored) !== stored) throw invalid('items', `the ${stored} items of the block`);
  return { state: 'running', sealed: true, items: stored };
}

function rangeItems({ from, to }: Extract<InputKind, { kind: 'range' }>): number {
  if (to < from) throw invalid('spec.input.to', 'a range that does not end before it starts');
  return to - from;
}

export interface AppendInput {
  readonly job: JobFacts;
  /** The stored block of the same number. */
  readonly stored: BlockHead | undefined;
  /** How many blocks the generation has. */
  readonly blocks: number;
  /** The part of the attempt that appends. */
  readonly part: StoredPart | undefined;
  readonly request: AppendRequest;
}

/**
 * Judges one block: an upload's while the job is submitted, `split`'s while its attempt is live.
 * @throws InvalidRequestError when it does not continue what is stored.
 */
export function decideAppend({ job, stored, blocks, part, request }: AppendInput): AppendOutcome {
  if (jobEnded(job.state)) return 'jobEnded';
  if (request.generation !== job.generation) return 'staleAttempt';
  if (request.attempt && !mayAppend(job, part, request.attempt.attempt)) return 'staleAttempt';
  const { block } = request;
  if (stored) return sameBlock(stored, block) ? 'same' : 'different';
  if (job.sealed || (!request.attempt && job.state !== 'submitted'))
    throw invalid('job', 'a job whose input is not complete');
  if (block.no !== blocks || block.from !== job.items)
    throw invalid('block', `block ${blocks}, from item ${job.items}`);
  return 'stored';
}

function mayAppend(job: JobFacts, part: StoredPart | undefined, attempt: number): boolean {
  return job.state === 'splitting' && part !== undefined && part.kind === 'split' && liveIn(part, attempt);
}

/** Whether an attempt may still act for its part. */
export function liveIn(part: StoredPart, attempt: number): boolean {
  return partOpen(part) && part.attempts.some((a) => a.attempt === attempt && a.state === 'live');
}

/** Whether an attempt of this generation may still act: its job goes on, its part is open, and nobody ended it. Once false, it stays so. */
export function attemptLive(
  job: Pick<JobFacts, 'state' | 'generation'>,
  part: StoredPart | undefined,
  { generation, attempt }: Pick<AttemptRef, 'generation' | 'attempt'>,
): boolean {
  return !jobEnded(job.state) && job.generation === generation && part !== undefined && liveIn(part, attempt);
}

const sameBlock = (a: BlockHead, b: BlockHead): boolean => a.digest === b.digest && a.from === b.from && a.to === b.to;

/** Ends an upload. Twice is fine. @throws InvalidRequestError when other items are stored than the sender counted. */
export function decideSeal(
  job: JobFacts,
  { generation, items }: RequestOf<typeof sealJob>,
): 'seal' | 'sealed' | 'jobEnded' {
  if (jobEnded(job.state)) return 'jobEnded';
  if (generation !== job.generation || items !== job.items)
    throw invalid('items', `${job.items} items, as stored (generation ${job.generation})`);
  if (job.sealed) return 'sealed';
  if (job.state !== 'submitted') throw invalid('job', 'an upload; the items of this job come from split()');
  return 'seal';
}

export type RestartDecision =
  | { readonly outcome: 'restarted'; readonly generation: number; readonly part: StoredPart }
  | { readonly outcome: 'staleAttempt' | 'jobEnded' };

/** A new life of the items. Tries go on being counted, so that a `split` that is never the same twice ends. */
export function decideRestart(
  job: JobFacts,
  part: StoredPart | undefined,
  attempt: number,
  generation: number,
): RestartDecision {
  if (jobEnded(job.state)) return { outcome: 'jobEnded' };
  const live = generation === job.generation && mayAppend(job, part, attempt);
  if (!part || !live) return { outcome: 'staleAttempt' };
  return { outcome: 'restarted', generation: job.generation + 1, part: freshPart('split', 0, 1, part.tries) };
}
