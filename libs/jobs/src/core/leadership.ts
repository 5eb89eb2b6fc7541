import type { BodyOf, coordinator } from '@das/contracts';
import type { NodeId } from '@das/kernel';

/** Who leads, as a job-splitter hears it. Never changed in place. */
export interface Leadership {
  readonly node: NodeId;
  /** New at every start of the job-splitter. */
  readonly epoch: string;
  /** Highest term heard; announcements of lower ones are old. */
  readonly highestTerm: number;
  /** The term in which this node leads. */
  readonly term: number | undefined;
}

export type LeadershipEffect =
  | { readonly kind: 'leave' }
  | { readonly kind: 'enter'; readonly term: number; readonly trustedUntil: number }
  | { readonly kind: 'trust'; readonly until: number }
  /** Terms never fall, unless the database was replaced by a new one: only the store can say so. Answered by {@link termRead}. */
  | { readonly kind: 'askTerm'; readonly heard: number; readonly highestTerm: number };

interface Step {
  readonly state: Leadership;
  readonly effects: readonly LeadershipEffect[];
}

export const newLeadership = (node: NodeId, epoch: string): Leadership => ({
  node,
  epoch,
  highestTerm: 0,
  term: undefined,
});

/** Opens an office for a term of its own, closes it when another leads or it resigned. `now`: own monotonic clock (ms). */
export function hearCoordinator(state: Leadership, message: BodyOf<typeof coordinator>, now: number): Step {
  const { leader, term, resigned, trustMs, epoch } = message;
  if (term < state.highestTerm)
    return { state, effects: [{ kind: 'askTerm', heard: term, highestTerm: state.highestTerm }] };
  const heard = { ...state, highestTerm: term };
  // A term that was claimed for an earlier instance of this service is not ours: that one may have acts under way.
  const mine = leader === state.node && (epoch === undefined || epoch === state.epoch);
  if (!mine || resigned) return leave(heard);
  const until = now + trustMs;
  if (state.term === term) return { state: heard, effects: [{ kind: 'trust', until }] };
  const left = leave(heard);
  return {
    state: { ...left.state, term },
    effects: [...left.effects, { kind: 'enter', term, trustedUntil: until }],
  };
}

/** The store's answer; one that was asked for before a higher term was heard says nothing about it. */
export function termRead(
  state: Leadership,
  asked: { heard: number; highestTerm: number },
  current: number,
): Leadership {
  if (current !== asked.heard || state.highestTerm !== asked.highestTerm) return state;
  return { ...state, highestTerm: asked.heard - 1 };
}

/** Its term is over, or the service ends. */
export function leave(state: Leadership): Step {
  if (state.term === undefined) return { state, effects: [] };
  return { state: { ...state, term: undefined }, effects: [{ kind: 'leave' }] };
}

/** An office of that term learnt that it is over; another may be open by now. */
export function termOver(state: Leadership, term: number): Step {
  return state.term === term ? leave(state) : { state, effects: [] };
}
