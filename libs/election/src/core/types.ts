import type { NodeId, Rng } from '@das/kernel';
import type { BullyMessage } from './bully/types.js';
import type { KvAsk, KvResult, LeaseMessage } from './lease/types.js';
import type { RaftMessage, Vote } from './raft/types.js';
import type { Timings } from './timings.js';

/** Monotonic milliseconds of this machine; only differences mean something. */
export type Mono = number;

export type StrategyName = 'bully' | 'raft' | 'lease';

/** Nodes that can be known at once; more are not asked (the store still arbitrates). */
export const liveNodesMax = 1_024;
/** Replaced job-splitter instances that are remembered, so that a late beat of one does not look new. */
export const replacedEpochsMax = 8;
/** Changes of leader that are remembered: more of them damp no further. */
export const changesMax = 8;

/** What every strategy is told; one that needs no voters, or no ranks, does not look at them. */
export interface ElectionConfig {
  readonly self: NodeId;
  /** New at every start of the process; makes rounds of two lives differ. At most 40 characters. */
  readonly instance: string;
  /** Rank by hand, the same on every node: higher leads first. Nodes not named have 0. */
  readonly priorities: Readonly<Record<string, number>>;
  /** Who votes (`raft`), the same on every node. */
  readonly voters: readonly NodeId[];
  /** Whether a higher-ranked node may take over from a healthy leader, damped (`bully`). */
  readonly preempt: boolean;
  readonly timings: Timings;
}

/**
 * - `following`: of a leader, or waiting to try; entered from everywhere, left when the election timer fires, or when called.
 * - `calling`: asks first (bully: Election is out; raft: pre-vote; lease: the claim in the bucket is being made).
 * - `awaiting`: bully: someone objected; raft: votes are asked for. Left by a Coordinator, by winning, or when it did not come.
 * - `claiming`: the store was asked for the next term; left by its answer.
 * - `leading`: holds `tenure`; left when a lease ends, the store says no, a higher term is heard, the node is not able any more, or by `stop`.
 * - `stopped`: final.
 */
export type Phase = 'following' | 'calling' | 'awaiting' | 'claiming' | 'leading' | 'stopped';

type OfficeTimer = 'election' | 'heartbeat' | 'renew' | 'lease' | 'splitter';
export type TimerKind =
  OfficeTimer | 'ok' | 'coordinator' | 'askAgain' | 'handOver' | 'ballot' | 'beat' | 'recover' | 'poll' | 'renewRecord';

/** What every strategy knows; each adds its own. */
export interface OfficeState {
  readonly config: ElectionConfig;
  readonly phase: Phase;
  /** Highest term known to have been granted; never falls. */
  readonly term: number;
  /** Who was granted `term`, when known. */
  readonly holder: NodeId | undefined;
  /** The holder of `term` resigned: a late Coordinator of it counts no more. */
  readonly termOver: boolean;
  /** The store itself told the term, once at least. */
  readonly storeSeen: boolean;
  /** When the leader changed from one node to another, newest last; at most {@link changesMax}. */
  readonly changes: readonly Mono[];
  /** The leader as last heard. */
  readonly heard: { readonly node: NodeId; readonly term: number; readonly at: Mono } | undefined;
  /** Since when nothing was heard of a leader. */
  readonly quietSince: Mono;
  readonly live: ReadonlySet<NodeId>;
  /** The claim in flight: at most one. `tries`: the how-manieth in a row. */
  readonly claim:
    { readonly above: number; readonly startedAt: Mono; readonly epoch: string; readonly tries: number } | undefined;
  readonly tenure:
    { readonly term: number; readonly since: Mono; readonly leaseUntil: Mono; readonly epoch: string } | undefined;
  readonly renewal: { readonly term: number; readonly startedAt: Mono } | undefined;
  /** Failed claims and lost tenures in a row: the exponent of the back-off. */
  readonly failures: number;
  /** The store could not be reached: not eligible until then. */
  readonly storeAwayUntil: Mono;
  readonly splitter: { readonly epoch: string; readonly at: Mono } | undefined;
  readonly replacedEpochs: readonly string[];
  /** What membership says of this node (0: healthy), and for how many heartbeats its event loop has been slow. */
  readonly health: { readonly score: number; readonly slowBeats: number };
  /** When this node last had to give up a tenure, newest last; enough of them lower its rank until `yieldsUntil`. */
  readonly demotions: readonly Mono[];
  readonly yieldsUntil: Mono;
  /** The bus connection is lost: silence means nothing. */
  readonly deaf: boolean;
  /** A late timer was given one more wait; the next late one is believed. */
  readonly graced: boolean;
  readonly deadlines: { readonly [K in TimerKind]?: Mono };
}

export interface CoordinatorMessage {
  readonly kind: 'coordinator';
  readonly leader: NodeId;
  readonly term: number;
  readonly resigned: boolean;
  /** Of a leader that resigns: who is to take over at once. */
  readonly to?: NodeId | undefined;
  /** raft: by whose votes it leads. */
  readonly voters?: readonly NodeId[] | undefined;
}
/** Messages to one node. */
export type AddressedMessage = BullyMessage | RaftMessage | LeaseMessage;
export type ElectionMessage = CoordinatorMessage | AddressedMessage;

export type ElectionEvent =
  | { readonly kind: 'started' }
  | { readonly kind: 'stop' }
  /** Addressed to this node, or to all. */
  | { readonly kind: 'message'; readonly message: ElectionMessage }
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
  | { readonly kind: 'deaf' | 'hearing' }
  /** Membership's opinion of this node: 0 is healthy. */
  | { readonly kind: 'health'; readonly score: number }
  /** How late the event loop was in the last heartbeat; once per heartbeat. */
  | { readonly kind: 'loopLag'; readonly lagMs: number }
  /** Give the lead up, to the named node or to the next. */
  | { readonly kind: 'resign'; readonly to?: NodeId | undefined }
  /** raft: what the vote store holds, once after the start; its answer to each save. */
  | { readonly kind: 'voteLoaded'; readonly vote: Vote | 'empty' | 'corrupt' }
  | { readonly kind: 'voteSaved'; readonly vote: Vote; readonly ok: boolean }
  /** lease: the bucket's answer to one ask; something in the bucket changed. */
  | { readonly kind: 'kvAnswered'; readonly id: number; readonly result: KvResult }
  | { readonly kind: 'kvChanged' };

export type WhyDown =
  | 'leaseLost'
  /** raft: no majority answered in time, or a higher round was heard; lease: the bucket's record is not renewed, or another's. */
  | 'mandateLost'
  | 'notHeld'
  | 'higherTerm'
  | 'splitterSilent'
  | 'splitterRestarted'
  | 'unhealthy'
  | 'preempted'
  | 'resigned'
  | 'stopped';

export type ElectionEffect =
  | { readonly kind: 'send'; readonly to: NodeId; readonly message: AddressedMessage }
  /** Coordinator to all. The leader may act until `trustUntil`; it is in the past when resigned. */
  | {
      readonly kind: 'announce';
      readonly term: number;
      readonly resigned: boolean;
      readonly trustUntil: Mono;
      readonly epoch: string | undefined;
      readonly to?: NodeId | undefined;
    }
  /** Ask the store; the answer, or its failure, comes back as exactly one event. */
  | { readonly kind: 'claimTerm'; readonly above: number }
  | { readonly kind: 'renewTerm'; readonly term: number }
  /** Read the vote store; save into it, durably before the answer. Exactly one event each. */
  | { readonly kind: 'loadVote' }
  | { readonly kind: 'saveVote'; readonly vote: Vote }
  /** Ask the bucket; exactly one `kvAnswered` with this id. */
  | { readonly kind: 'askKv'; readonly id: number; readonly ask: KvAsk }
  /** Replaces a running timer of the same kind. */
  | { readonly kind: 'setTimer'; readonly timer: TimerKind; readonly afterMs: number }
  | { readonly kind: 'steppedUp'; readonly term: number }
  | { readonly kind: 'steppedDown'; readonly term: number; readonly why: WhyDown }
  /** For whoever runs the cluster: what is wrong and what to do, once per change; or that it is well again. */
  | { readonly kind: 'tell'; readonly level: 'info' | 'warn' | 'error'; readonly message: string }
  /** Two nodes said they hold one term: a defect, or two nodes with one name. For the log. */
  | { readonly kind: 'defect'; readonly message: string };

export interface Step<S> {
  readonly state: S;
  readonly effects: readonly ElectionEffect[];
}
export type StepFunction<S> = (state: S, event: ElectionEvent, now: Mono, rng: Rng) => Step<S>;
