import type {
  AttemptRef,
  JobCounts,
  JobRecord,
  OpenPart,
  ReplyOf,
  RequestOf,
  advanceJob,
  assignParts,
  dropAttempts,
  saveActs,
} from '@das/contracts';
import type { JobId, NodeId } from '@das/kernel';
import type { AssignerEvent } from './assigner-events.js';
import type { Plan } from './assigner-plan.js';
import type { AssignerConfig, AssignerState } from './assigner-state.js';

/** A job as the store has it. */
export interface LoadedJob {
  readonly record: JobRecord;
  readonly counts: JobCounts;
}

/** One term of leadership. Owned by `step`, which changes it in place: its jobs are too large to copy for every event. */
export interface OfficeState {
  readonly term: number;
  readonly leader: NodeId;
  readonly config: AssignerConfig;
  assigner: AssignerState;
  /** What was heard and not taken in yet; at most {@link queuedMax}. */
  queue: AssignerEvent[];
  /** The batch whose save is under way: nothing of it is sent before, and nothing is decided meanwhile. */
  saving: { readonly actSeq: number; readonly planned: Plan } | undefined;
  /** What the running poll has still to read; one read at a time. */
  polling: Array<LoadedJob | JobId> | undefined;
  actSeq: number;
  /** Counts resets: what was asked before one is not taken in after it. */
  life: number;
  /** Nothing is decided from then on (own clock, ms), unless the trust is renewed. */
  trustedUntil: number;
  closed: boolean;
}

export type SaveReply = ReplyOf<typeof saveActs>;
export type AdvanceReply = ReplyOf<typeof advanceJob>;
export type AssignReply = ReplyOf<typeof assignParts>;

/** What happens to an office. Of every effect that asks something exactly one answer comes back; without a `reply` it is not known what was done. */
export type OfficeEvent =
  | { readonly kind: 'heard'; readonly event: AssignerEvent }
  | { readonly kind: 'trusted'; readonly until: number }
  /** Time to ask the store for every unfinished job: finds what a lost message would have told. Also how an office begins. */
  | { readonly kind: 'poll' }
  | { readonly kind: 'closed' }
  /** Taking an event in failed: a defect. The state is dropped and loaded anew. */
  | { readonly kind: 'broke' }
  | { readonly kind: 'saved'; readonly actSeq: number; readonly reply: SaveReply | undefined }
  | {
      readonly kind: 'sent';
      readonly node: NodeId;
      readonly attempts: readonly AttemptRef[];
      readonly reply: AssignReply;
    }
  | {
      readonly kind: 'advanceAnswered';
      readonly life: number;
      readonly request: RequestOf<typeof advanceJob>;
      readonly reply: AdvanceReply | undefined;
    }
  | { readonly kind: 'jobsRead'; readonly life: number; readonly jobs: readonly LoadedJob[] | undefined }
  /** `found`: absent when there is no such job. */
  | { readonly kind: 'jobRead'; readonly ask: JobAsk; readonly found: LoadedJob | undefined }
  | {
      readonly kind: 'partsRead';
      readonly ask: PartsAsk;
      /** Absent when they were not wanted. */
      readonly parts: readonly OpenPart[] | undefined;
      readonly bytesPerItem: number;
    }
  /** The store could not be asked. */
  | { readonly kind: 'readFailed'; readonly ask: JobAsk | PartsAsk }
  | { readonly kind: 'waited'; readonly life: number };

/** `polled`: the next read of the poll waits for it. */
export interface JobAsk {
  readonly life: number;
  readonly job: JobId;
  readonly polled: boolean;
}
export interface PartsAsk {
  readonly life: number;
  readonly loaded: LoadedJob;
  readonly polled: boolean;
  /** Its open parts are unknown here. */
  readonly wanted: boolean;
}

/** What is to be done, in this order; what asks something is answered by an event, whenever. */
export type OfficeEffect =
  /** One transaction; repeated with the same content until it is answered or {@link saveTimeoutMs} are over. */
  | { readonly kind: 'save'; readonly request: RequestOf<typeof saveActs> }
  /** A lost answer needs no care: the node's next beat says what it holds. */
  | { readonly kind: 'send'; readonly node: NodeId; readonly request: RequestOf<typeof assignParts> }
  /** Unanswered it is repeated by what the next beats show. */
  | { readonly kind: 'drop'; readonly node: NodeId; readonly request: RequestOf<typeof dropAttempts> }
  | { readonly kind: 'advance'; readonly life: number; readonly request: RequestOf<typeof advanceJob> }
  | { readonly kind: 'readJobs'; readonly life: number }
  | { readonly kind: 'readJob'; readonly ask: JobAsk }
  | { readonly kind: 'readParts'; readonly ask: PartsAsk }
  /** For the job's followers. */
  | { readonly kind: 'note'; readonly job: JobId; readonly message: string }
  | { readonly kind: 'wait'; readonly life: number; readonly ms: number }
  /** The term is over: another is the current one. The office is to be closed. */
  | { readonly kind: 'over'; readonly current: number };

/** Pause before the state is built anew after the store failed (ms). */
export const resetPauseMs = 500;
/** How often the store is asked for what messages may have lost (ms): DESIGN §4.1. */
export const pollMs = 2_000;
/** A save is repeated with the same id for this long before the state is dropped (ms). */
export const saveTimeoutMs = 5_000;
/** Events that wait while a save is under way or the trust is over; beyond it the state is dropped and loaded anew. */
export const queuedMax = 10_000;
