import type { NodeId, Rng } from '@das/kernel';

/**
 * Role: decides who tries to lead, as a pure step machine; the store decides who leads. The shell performs the effects in order and
 * feeds every answer back as an event, one at a time. Duplicates, late and reordered messages must be harmless.
 * Implementations: {@link bully}.
 */
export interface ElectionStrategy<Config, State, Event, Effect> {
  readonly name: 'bully' | 'raft' | 'lease';
  initialState(config: Config): State;
  /** `now` is monotonic (ms). */
  step(
    state: State,
    event: Event,
    now: number,
    rng: Rng,
  ): { readonly state: State; readonly effects: readonly Effect[] };
  leaderOf(state: State, now: number): { readonly leader: NodeId | undefined; readonly term: number };
}
