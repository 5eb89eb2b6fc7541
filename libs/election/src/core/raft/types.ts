import type { NodeId } from '@das/kernel';
import type { Mono, OfficeState } from '../types.js';

/** What a voter must not forget: the highest round it knows, and whom it gave its vote in that round. */
export interface Vote {
  readonly round: number;
  readonly votedFor: NodeId | undefined;
}

/** The round at which no further one is begun, far beyond any cluster's life: 2^53 − 1. */
export const roundMax = Number.MAX_SAFE_INTEGER;

/** Names the leader that told this candidate to take over: its voters need not wait for their promise to it. */
export interface HandOver {
  readonly leader: NodeId;
  readonly round: number;
}

interface FromVoter {
  readonly from: NodeId;
  /** Hash of the sender's list of voters. */
  readonly voters: string;
  /** Those voters by name. */
  readonly list?: readonly NodeId[] | undefined;
}
export type RaftMessage = FromVoter &
  (
    | { readonly kind: 'preVote'; readonly round: number }
    | { readonly kind: 'vote'; readonly round: number; readonly handOver?: HandOver | undefined }
    /** `round`: as asked. `highest`: of the one who answers. */
    | {
        readonly kind: 'voteReply';
        readonly round: number;
        readonly pre: boolean;
        readonly granted: boolean;
        readonly highest: number;
        readonly why?: string | undefined;
      }
    | { readonly kind: 'beat'; readonly round: number; readonly seq: number }
    | { readonly kind: 'beatReply'; readonly round: number; readonly seq: number; readonly highest: number }
    /** The leader of `round` leads no more; `to` is to take over at once. */
    | { readonly kind: 'resign'; readonly round: number; readonly to?: NodeId | undefined }
    /** A voter without its memory asks what the others remember; absent `round`: neither does this one. */
    | { readonly kind: 'askRound' }
    | { readonly kind: 'tellRound'; readonly round?: number | undefined }
  );

/** What to do once a vote is durable. */
export type AfterSave =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'grant'; readonly to: NodeId }
  | { readonly kind: 'answerBeat'; readonly to: NodeId; readonly seq: number }
  | { readonly kind: 'askVotes'; readonly handOver: HandOver | undefined };

export interface Ballot {
  readonly kind: 'pre' | 'vote';
  readonly round: number;
  readonly startedAt: Mono;
  readonly granted: ReadonlySet<NodeId>;
  readonly refused: ReadonlyMap<NodeId, string>;
  readonly handOver: HandOver | undefined;
}

/** Of a leader: a majority stands behind it until `until`. */
export interface Mandate {
  readonly round: number;
  readonly until: Mono;
  readonly seq: number;
  /** Heartbeat → when it was sent; those too old to matter are dropped. */
  readonly sent: ReadonlyMap<number, Mono>;
  /** Voter → when the newest heartbeat that it answered was sent. */
  readonly answered: ReadonlyMap<NodeId, Mono>;
}

export interface RaftState extends OfficeState {
  readonly vote: Vote;
  /** What is known to be on disk. Answers go out only when it equals `vote`. */
  readonly durable: Vote | undefined;
  readonly saving: { readonly vote: Vote; readonly then: AfterSave } | undefined;
  /** No vote for another until then. */
  readonly promise: { readonly to: NodeId; readonly until: Mono } | undefined;
  /** A promise of the life before may still run: no vote until then. */
  readonly bootUntil: Mono;
  /** Set while this voter does not know what it promised: what the others told of their rounds. */
  readonly recovery:
    { readonly why: 'unread' | 'empty' | 'corrupt'; readonly told: ReadonlyMap<NodeId, number | 'forgot'> } | undefined;
  readonly ballot: Ballot | undefined;
  readonly mandate: Mandate | undefined;
  /** Why nobody leads, in words; undefined while someone does or it is too early to say. */
  readonly blocked: string | undefined;
  /** Ballots lost in a row without any leader heard. */
  readonly lostBallots: number;
  /** Senders with another list of voters: their list's hash, told once. */
  readonly strangers: ReadonlyMap<NodeId, string>;
  /** Voters heard that go by the own list. */
  readonly agreed: ReadonlySet<NodeId>;
  /** Another list, by which more nodes go than are known to go by the own one: this node neither votes nor leads. */
  readonly misfit: { readonly leader: NodeId; readonly voters: readonly NodeId[] } | undefined;
}
