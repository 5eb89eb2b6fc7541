import type { MemberState } from '@das/contracts';
import type { NodeId } from '@das/kernel';

/** Monotonic milliseconds of this machine; only differences mean something. */
export type Mono = number;

export interface MembersConfig {
  readonly self: NodeId;
  /** No beat for this long: suspect (ms). */
  readonly suspectMs: number;
  /** No beat for this long: dead (ms). */
  readonly deadMs: number;
  /** Dead or left for this long: forgotten (ms). */
  readonly forgetMs: number;
  /** Time between two ticks (ms). */
  readonly tickMs: number;
  /** A tick later than this means that the process stood still: beats wait in its own queue (ms). */
  readonly lateMs: number;
  /** Members known at once. */
  readonly membersMax: number;
}

/** Beats of another process with the same name that are taken for late ones before a warning. */
export const strayBeatsMax = 3;
/** A warning about one name is repeated after this (ms). */
export const conflictEveryMs = 60_000;

/** What a beat says of its node. */
export interface BeatFacts {
  readonly node: NodeId;
  readonly incarnation: number;
  readonly version: string;
  readonly rest?: string | undefined;
  readonly slots?: number | undefined;
  readonly leaving: boolean;
}

export interface Entry {
  readonly node: NodeId;
  readonly state: MemberState;
  readonly incarnation: number;
  readonly version: string;
  readonly rest: string | undefined;
  readonly slots: number | undefined;
  /** When it got into its state. */
  readonly since: Mono;
  /** When it was heard last; moved on to now when we were deaf or stood still. */
  readonly heardAt: Mono;
  /** Beats of an older incarnation since this one came. */
  readonly strayBeats: number;
  readonly warnedAt: Mono | undefined;
}

export interface MembersState {
  readonly config: MembersConfig;
  readonly entries: ReadonlyMap<NodeId, Entry>;
  readonly lastTick: Mono | undefined;
  /** The bus connection is lost: silence means nothing. */
  readonly deaf: boolean;
  /** Beats of nodes that found no room, since the last warning about it. */
  readonly refused: number;
}

export type MembersEvent =
  /** `own`: this process's own beat, not heard over the bus. */
  | { readonly kind: 'beat'; readonly beat: BeatFacts; readonly own: boolean }
  | { readonly kind: 'tick' }
  | { readonly kind: 'deaf' | 'hearing' };

export type MembersEffect =
  | { readonly kind: 'changed'; readonly entry: Entry }
  | { readonly kind: 'forgotten'; readonly node: NodeId }
  | { readonly kind: 'warn'; readonly node: NodeId; readonly message: string };

export interface MembersStep {
  readonly state: MembersState;
  readonly effects: readonly MembersEffect[];
}
