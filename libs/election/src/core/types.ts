import type { NodeId, Rng } from '@das/kernel';

/** Monotonic milliseconds of this machine; only differences mean something. */
export type Mono = number;

/** Every bound and wait of the strategy (ms unless said otherwise). Relations are checked by {@link checkTimings}. */
export interface Timings {
  /** H: time between two Coordinator messages of a leader. */
  readonly heartbeatMs: number;
  /** L: this long without a Coordinator, and a node calls an election. */
  readonly leaderTimeoutMs: number;
  /** Random time on top of L, so that nodes rarely call at once. */
  readonly spreadMs: number;
  /** A leader heard within this time is told to callers as alive. Below L, or two nodes that heard the same last Coordinator contradict each other. */
  readonly leaderFreshMs: number;
  /** How long a caller waits for an OK. */
  readonly okWaitMs: number;
  /** How long a caller that got an OK, or whose claim was refused, waits for the Coordinator. */
  readonly coordinatorWaitMs: number;
  /** A node that said OK and never coordinated is not asked again for this long: it can answer but cannot win (non-transitive links). */
  readonly ignoreMs: number;
  readonly renewEveryMs: number;
  readonly renewRetryMs: number;
  /** A leader stops acting this long after the start of its last successful renewal. */
  readonly leaseMs: number;
  /** The own job-splitter beats this often; after `splitterMissesMax` misses the node is not eligible. */
  readonly splitterBeatMs: number;
  readonly splitterMissesMax: number;
  /** First wait after the store could not be reached, or after a lost tenure; doubles up to `backoffMaxMs`. */
  readonly backoffMs: number;
  readonly backoffMaxMs: number;
  /** A timer later than this means that the process stood still: what came meanwhile is read before anyone is judged. */
  readonly lateMs: number;
}

export const defaultTimings: Timings = {
  heartbeatMs: 250,
  leaderTimeoutMs: 1_000,
  spreadMs: 300,
  leaderFreshMs: 750,
  okWaitMs: 200,
  coordinatorWaitMs: 600,
  ignoreMs: 5_000,
  renewEveryMs: 1_000,
  renewRetryMs: 250,
  leaseMs: 3_000,
  splitterBeatMs: 500,
  splitterMissesMax: 3,
  backoffMs: 300,
  backoffMaxMs: 2_000,
  lateMs: 300,
};

/** Nodes that can be known at once; more are not asked (the store still arbitrates). */
export const liveNodesMax = 1_024;
/** Replaced job-splitter instances that are remembered, so that a late beat of one does not look new. */
export const replacedEpochsMax = 8;

export interface BullyConfig {
  readonly self: NodeId;
  /** New at every start of the process; makes rounds of two lives differ. At most 40 characters. */
  readonly instance: string;
  /** Rank by hand, the same on every node: higher leads first. Nodes not named have 0. */
  readonly priorities: Readonly<Record<string, number>>;
  readonly timings: Timings;
}

/**
 * - `following`: of a leader, or waiting to call an election; entered from everywhere, left when the election timer fires, or when called.
 * - `calling`: Election is out; left by the first OK, or when nobody objected in time.
 * - `awaiting`: someone objected; left by its Coordinator, or when it did not come.
 * - `claiming`: the store was asked for the next term; left by its answer.
 * - `leading`: holds `tenure`; left when the lease ends, the store says no, a higher term is heard, the own job-splitter is silent, or by `stop`.
 * - `stopped`: final.
 */
export type Phase = 'following' | 'calling' | 'awaiting' | 'claiming' | 'leading' | 'stopped';

export type TimerKind = 'election' | 'ok' | 'coordinator' | 'heartbeat' | 'renew' | 'lease' | 'splitter';

export interface BullyState {
  readonly config: BullyConfig;
  readonly phase: Phase;
  /** Highest term known to have been granted; never falls. */
  readonly term: number;
  /** Who was granted `term`, when known. */
  readonly holder: NodeId | undefined;
  /** The holder of `term` resigned: a late Coordinator of it counts no more. */
  readonly termOver: boolean;
  /** The leader as last heard. */
  readonly heard: { readonly node: NodeId; readonly term: number; readonly at: Mono } | undefined;
  /** Since when nothing was heard of a leader. */
  readonly quietSince: Mono;
  readonly live: ReadonlySet<NodeId>;
  /** Node → until when it is not asked. */
  readonly ignored: ReadonlyMap<NodeId, Mono>;
  readonly rounds: number;
  readonly election:
    { readonly round: string; readonly asked: ReadonlySet<NodeId>; readonly objected: ReadonlySet<NodeId> } | undefined;
  /** The claim in flight: at most one. */
  readonly claim: { readonly above: number; readonly startedAt: Mono; readonly epoch: string } | undefined;
  readonly tenure: { readonly term: number; readonly leaseUntil: Mono; readonly epoch: string } | undefined;
  readonly renewal: { readonly term: number; readonly startedAt: Mono } | undefined;
  /** Failed claims and lost tenures in a row: the exponent of the back-off. */
  readonly failures: number;
  /** The store could not be reached: not eligible until then. */
  readonly storeAwayUntil: Mono;
  readonly splitter: { readonly epoch: string; readonly at: Mono } | undefined;
  readonly replacedEpochs: readonly string[];
  /** The bus connection is lost: silence means nothing. */
  readonly deaf: boolean;
  /** A late timer was given one more wait; the next late one is believed. */
  readonly graced: boolean;
  readonly deadlines: { readonly [K in TimerKind]?: Mono };
}

export type BullyMessage =
  | { readonly kind: 'election'; readonly from: NodeId; readonly round: string }
  | {
      readonly kind: 'ok';
      readonly from: NodeId;
      readonly round: string;
      readonly leader?: { readonly node: NodeId; readonly term: number } | undefined;
    }
  | { readonly kind: 'coordinator'; readonly leader: NodeId; readonly term: number; readonly resigned: boolean };

export type BullyEvent =
  | { readonly kind: 'started' }
  | { readonly kind: 'stop' }
  /** Addressed to this node, or to all. */
  | { readonly kind: 'message'; readonly message: BullyMessage }
  | { readonly kind: 'timer'; readonly timer: TimerKind }
  /** What membership sees: a hint, never a proof. */
  | { readonly kind: 'memberAlive' | 'memberDead' | 'memberLeft'; readonly node: NodeId }
  | {
      readonly kind: 'termClaimed';
      readonly above: number;
      readonly granted: boolean;
      readonly term: number;
      readonly leader?: NodeId | undefined;
    }
  | { readonly kind: 'claimFailed'; readonly above: number }
  | {
      readonly kind: 'renewed';
      readonly asked: number;
      readonly held: boolean;
      readonly term: number;
      readonly leader?: NodeId | undefined;
    }
  | { readonly kind: 'renewFailed'; readonly asked: number }
  /** The store's current term, read without a claim. */
  | { readonly kind: 'termSeen'; readonly term: number; readonly leader?: NodeId | undefined }
  /** Of this node's own job-splitter. */
  | { readonly kind: 'splitterBeat'; readonly epoch: string }
  /** The own bus connection was lost, or is back. */
  | { readonly kind: 'deaf' | 'hearing' };

export type WhyDown = 'leaseLost' | 'notHeld' | 'higherTerm' | 'splitterSilent' | 'splitterRestarted' | 'stopped';

export type BullyEffect =
  | { readonly kind: 'sendElection'; readonly to: NodeId; readonly round: string }
  | {
      readonly kind: 'sendOk';
      readonly to: NodeId;
      readonly round: string;
      readonly leader: { readonly node: NodeId; readonly term: number } | undefined;
    }
  /** Coordinator to all. The leader may act until `trustUntil`; it is in the past when resigned. */
  | {
      readonly kind: 'announce';
      readonly term: number;
      readonly resigned: boolean;
      readonly trustUntil: Mono;
      readonly epoch: string | undefined;
    }
  /** Ask the store; the answer, or its failure, comes back as exactly one event. */
  | { readonly kind: 'claimTerm'; readonly above: number }
  | { readonly kind: 'renewTerm'; readonly term: number }
  /** Replaces a running timer of the same kind. */
  | { readonly kind: 'setTimer'; readonly timer: TimerKind; readonly afterMs: number }
  | { readonly kind: 'steppedUp'; readonly term: number }
  | { readonly kind: 'steppedDown'; readonly term: number; readonly why: WhyDown }
  /** Two nodes said they hold one term: a defect, or two nodes with one name. For the log. */
  | { readonly kind: 'defect'; readonly message: string };

export interface BullyStep {
  readonly state: BullyState;
  readonly effects: readonly BullyEffect[];
}

export type Step = (state: BullyState, event: BullyEvent, now: Mono, rng: Rng) => BullyStep;
