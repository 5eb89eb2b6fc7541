import { replacedEpochsMax } from '../types.js';
import type { Mono, OfficeState } from '../types.js';
import type { Turn } from './turn.js';

/** Membership's score from which on a node is not fit to lead. */
const unfitScore = 4;
/** Heartbeats in a row with a slow event loop, likewise; and demotions within `yieldMs`. */
const slowBeatsMax = 3;
const demotionsMax = 3;

/** Whether the own job-splitter was heard lately: a node whose job-splitter is gone must not lead, for nobody would assign. */
export function splitterHeard(state: OfficeState, now: Mono): boolean {
  const { splitterBeatMs, splitterMissesMax } = state.config.timings;
  return state.splitter !== undefined && now - state.splitter.at < splitterBeatMs * splitterMissesMax;
}

/**
 * Who may stand, and object to others: reaches the store as far as it knows, hears the bus, has a working job-splitter. One that never read the term
 * could be granted the term of its own past life, as the repeat of a claim that was answered long ago.
 */
export function eligible(state: OfficeState, now: Mono): boolean {
  const reachesStore = state.storeSeen && now >= state.storeAwayUntil;
  return state.phase !== 'stopped' && !state.deaf && reachesStore && splitterHeard(state, now);
}

/** Able since just now: where nobody leads it need not wait for its timer. */
export function standSoon(turn: Turn): void {
  const quiet = turn.now - turn.state.quietSince >= turn.t.leaderTimeoutMs;
  if (quiet && turn.state.phase === 'following' && eligible(turn.state, turn.now))
    turn.setTimer('election', turn.random(turn.t.spreadMs));
}

/** Its network, or its processor, is not what it should be. */
export const unwell = ({ health }: OfficeState): boolean =>
  health.score >= unfitScore || health.slowBeats >= slowBeatsMax;

/** Able, but to be chosen last: not well, or demoted too often. Never kept from leading when nobody else can. */
export const yields = (state: OfficeState, now: Mono): boolean => unwell(state) || now < state.yieldsUntil;

export function noteLoopLag(turn: Turn, lagMs: number): void {
  const { health } = turn.state;
  const slowBeats = lagMs > turn.t.damping.loopLagMs ? Math.min(health.slowBeats + 1, slowBeatsMax) : 0;
  turn.change({ health: { ...health, slowBeats } });
}

/** A tenure ended against the will of its holder. Too many of these, and the node is chosen last for a while. */
export function noteDemotion(turn: Turn): void {
  const { yieldMs } = turn.t.damping;
  const recent = [...turn.state.demotions.filter((at) => turn.now - at < yieldMs), turn.now].slice(-demotionsMax);
  turn.change({ demotions: recent });
  if (recent.length === demotionsMax) turn.change({ yieldsUntil: turn.now + yieldMs });
}

/** Notes a beat of the own job-splitter. Tells whether it is of a new instance. */
export function noteSplitterBeat(turn: Turn, epoch: string): 'same' | 'new' | 'replaced' {
  const { splitter, replacedEpochs } = turn.state;
  if (replacedEpochs.includes(epoch)) return 'replaced';
  const isNew = splitter !== undefined && splitter.epoch !== epoch;
  if (isNew) turn.change({ replacedEpochs: [...replacedEpochs, splitter.epoch].slice(-replacedEpochsMax) });
  turn.change({ splitter: { epoch, at: turn.now } });
  return isNew ? 'new' : 'same';
}
