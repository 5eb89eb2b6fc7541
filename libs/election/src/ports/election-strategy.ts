import type { NodeId, Rng } from '@das/kernel';
import type { ElectionConfig, ElectionEvent, Mono, OfficeState, Step, StrategyName } from '../core/types.js';

/** What a node knows of who leads. */
export interface KnownLeader {
  readonly leader: NodeId | undefined;
  readonly term: number;
  /** Why nobody leads, in words, when it is for lack of others. */
  readonly blocked: string | undefined;
  /** Why this node takes no part, in words, when its settings are not those of the others. */
  readonly misfit: string | undefined;
}

/**
 * Role: decides who tries to lead, as a pure step machine; the store decides who leads. The shell performs the effects in order and
 * feeds every answer back as an event, one at a time. Duplicates, late and reordered messages must be harmless.
 * Implementations: `bully`, `raft`, `lease`; each passes `electionStrategyContract`.
 */
export interface ElectionStrategy<S extends OfficeState = OfficeState> {
  readonly name: StrategyName;
  initialState(config: ElectionConfig): S;
  /** `now` is monotonic (ms). */
  step(state: S, event: ElectionEvent, now: Mono, rng: Rng): Step<S>;
  leaderOf(state: S, now: Mono): KnownLeader;
  /** Until when this node may act as the leader; −∞ when it does not lead. */
  trustedUntil(state: S): Mono;
}
