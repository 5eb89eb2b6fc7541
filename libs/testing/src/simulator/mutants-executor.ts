import type { ExecutorEvent, ExecutorState } from '@das/execution';
import * as directed from './directed.js';
import type { Mutant } from './mutants.js';
import type { Weakening } from './weakening.js';

const before = (change: (state: ExecutorState, event: ExecutorEvent) => [ExecutorState, ExecutorEvent]): Weakening => ({
  executor: (real) => (state, event) => real(...change(state, event)),
});

export const executorMutants: Readonly<Record<string, Mutant>> = {
  'an executor obeys lower terms': {
    weaken: before((state, event) => [
      state,
      event.kind === 'assigned' || event.kind === 'dropped'
        ? { ...event, term: Math.max(event.term, state.highestTerm) }
        : event,
    ]),
    seedsMax: 0,
    directed: directed.lowerTermAfterARestart,
  },
  'the highest term is forgotten in a restart': {
    weaken: { keptTerm: () => 0 },
    seedsMax: 0,
    directed: directed.lowerTermAfterARestart,
  },
  'attempts that ended may be started again': {
    weaken: before((state, event) => [event.kind === 'assigned' ? { ...state, ended: [] } : state, event]),
    seedsMax: 60,
  },
  'an end is not told again': {
    weaken: {
      executor: (real) => (state, event) => {
        const done = real(state, event);
        return { ...done, effects: done.effects.filter(({ kind }) => kind !== 'repeatEnd') };
      },
    },
    seedsMax: 0,
    directed: directed.endIsAskedAgain,
  },
  'what is told of an ended job is not heard': {
    weaken: {
      executor: (real) => (state, event) =>
        event.kind === 'jobEnded' ? { state, effects: [], verdict: 'accepted' } : real(state, event),
    },
    seedsMax: 0,
    directed: directed.jobEnds,
  },
  'a commit whose answer is lost is given up': { weaken: { commitOnce: true }, seedsMax: 40 },
  'a user who asks another node begins again': { weaken: { forgetfulClient: true }, seedsMax: 60 },
};
