import type { Turn } from './turn.js';
import { replacedEpochsMax } from './types.js';
import type { BullyState, Mono } from './types.js';

/** Whether the own job-splitter was heard lately: a node whose job-splitter is gone must not lead, for nobody would assign. */
export function splitterHeard(state: BullyState, now: Mono): boolean {
  const { splitterBeatMs, splitterMissesMax } = state.config.timings;
  return state.splitter !== undefined && now - state.splitter.at < splitterBeatMs * splitterMissesMax;
}

/** Who may stand, and object to others: reaches the store as far as it knows, hears the bus, has a working job-splitter. */
export function eligible(state: BullyState, now: Mono): boolean {
  return state.phase !== 'stopped' && !state.deaf && now >= state.storeAwayUntil && splitterHeard(state, now);
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
