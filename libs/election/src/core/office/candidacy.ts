import type { NodeId } from '@das/kernel';
import type { AddressedMessage, ElectionEvent, Mono, OfficeState, StrategyName, TimerKind } from '../types.js';
import type { Turn } from './turn.js';

/** Events that only one strategy asked for. */
export type OwnEvent = Extract<ElectionEvent, { kind: 'voteLoaded' | 'voteSaved' | 'kvAnswered' | 'kvChanged' }>;

/**
 * What a strategy adds to the office: who tries. The office claims the term, holds it, renews it, says so, and steps down; it asks
 * these when something is the strategy's to decide. All of them may be called in any phase but `stopped`, unless said otherwise.
 */
export interface Candidacy<S extends OfficeState> {
  readonly name: StrategyName;
  /** The state of a node that has not started. */
  initial(office: OfficeState): S;
  started(turn: Turn<S>): void;
  /** How long a follower waits for a leader before {@link stand} (ms); drawn anew each time. */
  patienceMs(turn: Turn<S>): number;
  /** Nobody leads, as far as this node hears; it follows and is eligible. Tries now, or waits again. */
  stand(turn: Turn<S>): void;
  /** A message of this strategy; one of another is dropped. */
  message(turn: Turn<S>, message: AddressedMessage): void;
  /** A timer of this strategy that is due. */
  timer(turn: Turn<S>, timer: TimerKind): void;
  answered(turn: Turn<S>, event: OwnEvent): void;
  memberGone(turn: Turn<S>, node: NodeId): void;
  /** A Coordinator of another was accepted: end what was tried. The office follows it already. `voters`: by whose votes it leads. */
  leaderHeard(turn: Turn<S>, leader: NodeId, voters: readonly NodeId[] | undefined): void;
  /** The store granted a term that was claimed earlier, and this node leads: end what was tried meanwhile. */
  tookOffice(turn: Turn<S>): void;
  /** The leader said that it leads no more; `to` is the one that it named. */
  leaderResigned(turn: Turn<S>, leader: NodeId, to: NodeId | undefined): void;
  /** Until when the strategy itself stands behind this node as a leader; the office neither claims nor leads beyond it. */
  mandateUntil(state: S): Mono;
  /** This node tries no more, or leads no more: give back what was won. Without effect when there is nothing. */
  release(turn: Turn<S>, to: NodeId | undefined): void;
  /** Who should lead next, when this node gives the lead up of its own will. */
  successor(turn: Turn<S>): NodeId | undefined;
  /** Why nobody leads, in words, when it is for lack of others. */
  blocked(state: S): string | undefined;
  /** Why this node takes no part though a leader is heard, in words. */
  misfit?(state: S): string | undefined;
}
