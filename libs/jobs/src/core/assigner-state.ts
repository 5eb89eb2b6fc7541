import type { AttemptRef, Failure, JobCounts, JobRecord, OpenPart, PartKind } from '@das/contracts';
import type { JobId, NodeId, PartId } from '@das/kernel';
import type { CutConfig } from './cut.js';
import { PendingQueue } from './pending-queue.js';

/** All times here are the shell's monotonic clock (ms). */
export interface AssignerConfig extends CutConfig {
  /** An executor unheard for this long is lost (ms). */
  readonly lostMs: number;
  /** A beat may lack what was sent less than this ago (ms). */
  readonly graceMs: number;
  /** Beats that may lack an attempt before it is ended; it is sent again after the first. */
  readonly absentBeats: number;
  /** Work queued on a slot beyond the running part (ms), and in parts. */
  readonly queuedMs: number;
  readonly queuedParts: number;
  /** A part that nodes gave back this often fails its job. */
  readonly givenBackMax: number;
  /** Decisions of one batch. */
  readonly batchMax: number;
}

export const defaultAssignerConfig: AssignerConfig = {
  targetMs: 1_000,
  leastMs: 20,
  firstItems: 16,
  growthMax: 16,
  itemsMax: 1_000_000,
  bytesMax: 512 * 1024,
  lostMs: 3_000,
  graceMs: 1_500,
  absentBeats: 2,
  queuedMs: 50,
  queuedParts: 8,
  givenBackMax: 20,
  batchMax: 2_000,
};

/** A live attempt as the leader remembers it. */
export interface LiveAttempt {
  readonly ref: AttemptRef;
  readonly node: NodeId;
  readonly items: number;
  /** When it was last sent (or learnt, by a new leader). */
  sentAt: number;
  /** Beats in a row that lacked it. */
  absent: number;
  /** Its node has it done and waits for the store: it is not ended while the node lives. */
  holding: boolean;
}

export interface PartWork {
  readonly part: PartId;
  readonly kind: PartKind;
  readonly from: number;
  readonly to: number;
  readonly tries: number;
  avoid: NodeId | undefined;
  /** How often a node gave it back unfinished. */
  givenBack: number;
  lastAttempt: number;
  /** No attempt may start before (the shell's clock): the store would refuse it. Only of a hook. */
  restUntil: number;
  readonly live: Map<number, LiveAttempt>;
}

export interface NodeWork {
  readonly node: NodeId;
  epoch: string;
  slots: number;
  draining: boolean;
  lastBeat: number;
  /** Live attempts on the node, by {@link attemptKey}. */
  readonly live: Map<string, LiveAttempt>;
  /** Attempts the node holds and the leader does not know, with the beats that showed them. */
  strays: Map<string, { readonly ref: AttemptRef; beats: number }>;
}

/** A node's word that it can run nothing of a job. */
export interface Refusal {
  readonly why: Failure;
  /** When it said so, or was given a part again. */
  readonly askedAt: number;
  /** The attempt that tries whether it still cannot, by {@link attemptKey}; it may be over. */
  readonly trial: string | undefined;
}

/** A job with its open parts. */
export interface JobWork {
  record: JobRecord;
  /** As the store counted when the parts were read, and what was heard of since. */
  counts: JobCounts;
  /** Failed items as the store counted them at the last look: some of them may be heard of later. */
  failedStored: number;
  bytesPerItem: number;
  /** Its items as lines, of a small job that was not read again. */
  lines: string | undefined;
  readonly parts: Map<PartId, PartWork>;
  /** Open parts without a live attempt. */
  readonly pending: PendingQueue<PartWork>;
  liveAttempts: number;
  msPerItem: number | undefined;
  measuredItems: number;
  /** Steps whose part this leader saved (or found saved): once none is open, they are done. */
  readonly ensured: Set<PartKind>;
  firstFailure: Failure | undefined;
  fatal: Failure | undefined;
  /** Nodes that can run nothing of it. */
  readonly unfit: Map<NodeId, Refusal>;
  /** When it was last seen to run somewhere, or was read and had run before; undefined: never yet. */
  fitAt: number | undefined;
  /** Its followers were told that it waits for a node that can run it. */
  toldUnfit: boolean;
  /** No node can run the hook: the job ends without it. */
  hookFailure: Failure | undefined;
  /** An `advance` is under way; nothing else is decided until its answer. */
  advancing: boolean;
  /** Set while the job is read again; holds what was finished meanwhile. */
  reload: { readonly finished: Set<PartId>; readonly children: OpenPart[] } | undefined;
  progressed: boolean;
}

export interface AssignerState {
  readonly term: number;
  readonly leader: NodeId;
  readonly config: AssignerConfig;
  readonly nodes: Map<NodeId, NodeWork>;
  /** Why and when nodes were lost that have not beaten since; what the store still assigns to them ends when it is read. */
  readonly lost: Map<NodeId, { readonly why: string; readonly at: number }>;
  readonly jobs: Map<JobId, JobWork>;
  /** Ended jobs whose nodes have not all shown that they stopped. */
  readonly stopping: Map<JobId, Set<NodeId>>;
  /** No node is judged before this: just in office, or was deaf, or was paused. */
  deafUntil: number;
  connected: boolean;
  /** Every unfinished job is known. */
  allLoaded: boolean;
  lastTick: number;
  /** Ended attempts that the next plan saves. */
  readonly ending: Array<AttemptRef & { why: string }>;
  readonly resend: LiveAttempt[];
  readonly loads: Set<JobId>;
  readonly drops: Array<{ readonly node: NodeId; readonly attempts: readonly AttemptRef[] }>;
  /** Told to the job's followers with the next plan. */
  readonly notes: Array<{ readonly job: JobId; readonly message: string }>;
}

export function takeOffice(term: number, leader: NodeId, config: AssignerConfig, now: number): AssignerState {
  return {
    term,
    leader,
    config,
    nodes: new Map(),
    lost: new Map(),
    jobs: new Map(),
    stopping: new Map(),
    deafUntil: now + config.lostMs,
    connected: true,
    allLoaded: false,
    lastTick: now,
    ending: [],
    resend: [],
    loads: new Set(),
    drops: [],
    notes: [],
  };
}

export const attemptKey = (ref: AttemptRef): string => `${ref.job}/${ref.generation}/${ref.part}/${ref.attempt}`;

export function nodeOf(state: AssignerState, node: NodeId, now: number): NodeWork {
  let work = state.nodes.get(node);
  if (work === undefined) {
    work = { node, epoch: '', slots: 0, draining: false, lastBeat: now, live: new Map(), strays: new Map() };
    state.nodes.set(node, work);
  }
  return work;
}

export function newJobWork(record: JobRecord, counts: JobCounts): JobWork {
  return {
    record,
    counts,
    failedStored: counts.failed,
    bytesPerItem: 0,
    lines: undefined,
    parts: new Map(),
    pending: new PendingQueue<PartWork>(),
    liveAttempts: 0,
    msPerItem: undefined,
    measuredItems: 0,
    ensured: new Set(),
    firstFailure: counts.firstFailure,
    fatal: counts.fatal,
    unfit: new Map(),
    fitAt: undefined,
    toldUnfit: false,
    hookFailure: undefined,
    advancing: false,
    reload: undefined,
    progressed: true,
  };
}

/** How many items failed at least: neither what is heard nor what the store counted includes one twice, but both may have the same. */
export const failedItems = ({ counts, failedStored }: JobWork): number => Math.max(counts.failed, failedStored);

export function slotsOf(state: AssignerState): number {
  let slots = 0;
  for (const node of state.nodes.values()) if (!node.draining) slots += node.slots;
  return slots;
}
