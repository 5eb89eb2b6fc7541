import { createHash } from 'node:crypto';
import {
  type BlockHead,
  type BundleHead,
  type Decision,
  Fault,
  type Failure,
  type JobCounts,
  type JobEvent,
  type JobRecord,
  type JobSpec,
  type JobState,
  type OutputRow,
  type WeakSandbox,
  jobTransitions,
} from '@das/contracts';
import { type Clock, type EpochMs, type JobId, type NodeId, type PartId, epochMs, move } from '@das/kernel';
import { type JobFacts, type StoredPart, jobEnded, partOpen } from '../core/job-rules.js';
import type { StoredLock } from '../core/lock-rules.js';
import { hooksOf } from '../core/job-rules-outcome.js';
import type { OutboxRow } from '../ports/result-store.js';

export interface MemoryRow extends OutputRow {
  readonly failed: boolean;
  readonly data: Uint8Array;
}

export interface MemoryJob {
  spec: JobSpec;
  state: JobState;
  generation: number;
  sealed: boolean;
  items: number;
  cut: number;
  failure: Failure | undefined;
  decision: Decision | undefined;
  hookFailure: Failure | undefined;
  sandboxes: readonly WeakSandbox[] | undefined;
  createdAt: EpochMs;
  finishedAt: EpochMs | undefined;
  blocks: (BlockHead & { readonly data: Uint8Array })[];
  parts: Map<PartId, StoredPart>;
  outputs: Map<string, MemoryRow>;
  /** By attempt and its run, then by place. */
  staged: Map<string, Map<string, MemoryRow>>;
}

export interface MemoryKey {
  readonly job: JobId;
  readonly createdAt: number;
  digest: string | undefined;
}

/** What several store instances share: the tables. */
export interface MemoryData {
  readonly jobs: Map<JobId, MemoryJob>;
  readonly blobs: Map<string, Uint8Array>;
  /** Chunks of bundles, by digest and number, and the bundles that are sealed. */
  readonly chunks: Map<string, Map<number, Uint8Array>>;
  readonly bundles: Map<string, BundleHead>;
  /** Submission keys, by owner and key. */
  readonly keys: Map<string, MemoryKey>;
  outbox: OutboxRow[];
  outboxSeq: number;
  term: number;
  leader: NodeId | undefined;
  renewedAt: number;
  readonly locks: Map<string, StoredLock>;
  /** The highest fence of all locks that were forgotten. */
  fenceFloor: number;
}

export const emptyData = (): MemoryData => ({
  jobs: new Map(),
  blobs: new Map(),
  chunks: new Map(),
  bundles: new Map(),
  keys: new Map(),
  outbox: [],
  outboxSeq: 0,
  term: 0,
  leader: undefined,
  renewedAt: 0,
  locks: new Map(),
  fenceFloor: 0,
});

/** The tables and the store's time: what each operation works on. */
export interface MemoryWorld {
  readonly data: MemoryData;
  readonly clock: Clock;
}

/** @throws Fault JOB_NOT_FOUND */
export function jobOf({ data }: MemoryWorld, id: JobId): MemoryJob {
  const job = data.jobs.get(id);
  if (!job) throw new Fault('JOB_NOT_FOUND', `there is no job ${id}`);
  return job;
}

export function factsOf(job: MemoryJob): JobFacts {
  const { state, generation, sealed, items, cut, spec, decision } = job;
  const { retries } = spec.limits;
  const facts = { state, generation, sealed, items, cut, retries, reduces: spec.functions.reduce };
  return { ...facts, ...hooksOf(spec), decision };
}

export function recordOf(job: MemoryJob): JobRecord {
  const { spec, state, generation, sealed, items, cut, failure, decision, hookFailure, createdAt, finishedAt } = job;
  const sandboxes = job.sandboxes && [...job.sandboxes];
  return {
    spec,
    state,
    generation,
    sealed,
    items,
    cut,
    failure,
    decision,
    hookFailure,
    sandboxes,
    createdAt,
    finishedAt,
  };
}

export function countsOf(job: MemoryJob): JobCounts {
  const parts = [...job.parts.values()].sort(byPlace);
  const items = (chosen: readonly StoredPart[]) =>
    chosen.filter(({ kind }) => kind === 'map').reduce((sum, { from, to }) => sum + to - from, 0);
  const failed = parts.filter(({ state }) => state === 'failed');
  return {
    committed: items(parts.filter(({ state }) => state === 'committed')),
    failed: items(failed),
    open: parts.filter(partOpen).length,
    firstFailure: failed.find(({ fatal }) => !fatal)?.failure,
    fatal: failed.find(({ fatal }) => fatal)?.failure,
  };
}

const kinds = ['split', 'map', 'reduce', 'gather', 'main', 'hook'] as const;

/** The order of parts in lists and pages. */
export function byPlace(a: StoredPart, b: StoredPart): number {
  return kinds.indexOf(a.kind) - kinds.indexOf(b.kind) || a.from - b.from || a.to - b.to || a.tries - b.tries;
}

/** Moves a job, and tells it by the outbox; once it is decided, open parts end with it. */
export function moveJob(world: MemoryWorld, job: MemoryJob, to: JobState, failure?: Failure): void {
  const now = epochMs(world.clock.now());
  job.state = move(jobTransitions, job, to, 'the store').state;
  if (jobEnded(to)) {
    job.finishedAt = now;
    job.failure = failure;
  }
  if (jobEnded(to) || to === 'settling') {
    for (const part of job.parts.values())
      if (partOpen(part)) job.parts.set(part.part, { ...part, state: 'cancelled' });
    job.staged.clear();
  }
  tellState(world, job);
}

export function tellState(world: MemoryWorld, job: MemoryJob): void {
  const { state, generation, failure, hookFailure, decision, spec } = job;
  const told = { ...(failure && { failure }), ...(hookFailure && { hookFailure }) };
  const outcome = state === 'settling' && decision ? { outcome: decision.outcome } : {};
  tell(world, { event: 'state', job: spec.job, at: world.clock.now(), state, generation, ...outcome, ...told });
}

export function tell({ data }: MemoryWorld, event: JobEvent): void {
  data.outbox.push({ seq: ++data.outboxSeq, event });
}

export const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');
