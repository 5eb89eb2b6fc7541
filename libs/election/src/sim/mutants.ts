import type { NodeId } from '@das/kernel';
import type { LeaseState } from '../core/lease/types.js';
import type { RaftMessage, RaftState } from '../core/raft/types.js';
import { votersHash } from '../core/raft/voters.js';
import { defaultTimings } from '../core/timings.js';
import type { ElectionEvent, Mono, OfficeState, StepFunction, StrategyName } from '../core/types.js';
import * as directed from './directed.js';
import type { Directed } from './directed.js';
import type { Weakening } from './world-options.js';

/** One protection taken away. */
export interface Mutant {
  readonly strategies: readonly StrategyName[];
  readonly weaken: Weakening;
  /** Storms of three nodes within which it is found; 0: by its scenario alone. */
  readonly seedsMax: number;
  /** A scenario that finds it, where storms hardly do because another protection covers for it. */
  readonly directed?: Directed;
}

type State = OfficeState & Partial<RaftState> & Partial<LeaseState>;

/** Changes what a strategy sees before each step. */
const before = (change: (state: State, event: ElectionEvent, now: Mono) => [State, ElectionEvent]): Weakening =>
  around((step) => (state, event, now, rng) => step(...change(state, event, now), now, rng));
/** Changes what a strategy has become after each step. */
const after = (change: (state: State, now: Mono) => State): Weakening =>
  around((step) => (state, event, now, rng) => {
    const done = step(state, event, now, rng);
    return { ...done, state: change(done.state, now) };
  });
const around = (wrap: (step: StepFunction<State>) => StepFunction<State>): Weakening => ({
  strategy: (real) => ({ ...real, step: wrap((state, event, now, rng) => real.step(state, event, now, rng)) }),
});

/** Feeds a candidate the votes of all, which nobody gave, as soon as it asks for them. */
const votesOfAll = (pre: boolean): Weakening =>
  around((step) => (state, event, now, rng) => {
    const first = step(state, event, now, rng);
    const ballot = first.state.ballot;
    if (ballot === undefined || (ballot.kind === 'pre') !== pre || ballot.granted.size > 1) return first;
    const { voters, self } = first.state.config;
    const effects = [...first.effects];
    let current = first.state;
    for (const from of voters) {
      if (from === self || (current.ballot !== ballot && current.ballot?.kind !== ballot.kind)) continue;
      const next = step(current, { kind: 'message', message: grant(from, voters, ballot.round, pre) }, now, rng);
      current = next.state;
      effects.push(...next.effects);
    }
    return { state: current, effects };
  });

const grant = (from: NodeId, voters: readonly NodeId[], round: number, pre: boolean): RaftMessage => ({
  kind: 'voteReply',
  from,
  voters: votersHash(voters),
  round,
  pre,
  granted: true,
  highest: round - 1,
});

const isMessage = <K extends string>(event: ElectionEvent, kind: K): boolean =>
  event.kind === 'message' && event.message.kind === kind;

/** What each protection is for is said where it is; here is what happens without it. */
export const mutants: Readonly<Record<string, Mutant>> = {
  'a refusal is taken for a grant': {
    strategies: ['bully', 'raft', 'lease'],
    weaken: before((state, event) => [state, event.kind === 'termClaimed' ? { ...event, granted: true } : event]),
    seedsMax: 60,
  },
  'the resource has no fence': { strategies: ['bully'], weaken: { noFence: true }, seedsMax: 20 },
  'the resource of raft has no fence': {
    strategies: ['raft'],
    weaken: { noFence: true },
    seedsMax: 0,
    directed: directed.sleepingLeader.raft,
  },
  'the resource of lease has no fence': {
    strategies: ['lease'],
    weaken: { noFence: true },
    seedsMax: 0,
    directed: directed.sleepingLeader.lease,
  },
  'the lease of the store outlives three seconds': {
    strategies: ['bully', 'raft', 'lease'],
    weaken: { timings: { leaseMs: 4_500 } },
    seedsMax: 60,
  },
  'the lease of the store is counted from the answer': {
    strategies: ['bully', 'raft', 'lease'],
    weaken: before((state, event, now) => [
      event.kind === 'renewed' && state.renewal !== undefined
        ? { ...state, renewal: { ...state.renewal, startedAt: now } }
        : state,
      event,
    ]),
    seedsMax: 100,
  },
  'a higher term is not heard': {
    strategies: ['bully', 'raft', 'lease'],
    weaken: before((state, event) => [
      state,
      isMessage(event, 'coordinator') ? { kind: 'memberAlive', node: state.config.self } : event,
    ]),
    seedsMax: 60,
  },
  'votes are not kept over a restart': { strategies: ['raft'], weaken: { noPersistence: true }, seedsMax: 100 },
  'no wait after a restart': {
    strategies: ['raft'],
    weaken: after((state) => ({ ...state, bootUntil: -Infinity })),
    seedsMax: 0,
    directed: directed.restartedVoterIsAsked,
  },
  'no majority is needed': { strategies: ['raft'], weaken: votesOfAll(false), seedsMax: 20 },
  'the mandate is counted from the answer': {
    strategies: ['raft'],
    weaken: before((state, event, now) => {
      if (!isMessage(event, 'beatReply') || state.mandate === undefined) return [state, event];
      const sent = new Map([...state.mandate.sent].map(([seq]) => [seq, now]));
      return [{ ...state, mandate: { ...state.mandate, sent } }, event];
    }),
    seedsMax: 0,
    directed: directed.answerComesLate,
  },
  'the promise is shorter than the mandate': {
    strategies: ['raft'],
    weaken: { timings: { raft: { ...defaultTimings.raft, promiseMs: 300, electionMs: 350 } } },
    seedsMax: 100,
  },
  'a second vote in one round': {
    strategies: ['raft'],
    weaken: before((state, event) => [
      isMessage(event, 'vote') && state.vote !== undefined
        ? { ...state, vote: { ...state.vote, votedFor: undefined }, durable: undefined }
        : state,
      event,
    ]),
    seedsMax: 20,
    directed: directed.secondAskInOneRound,
  },
  'nobody asks before a vote': {
    strategies: ['raft'],
    weaken: votesOfAll(true),
    seedsMax: 0,
    directed: directed.aloneForAnHour,
  },
  'a voter forgets its promise': {
    strategies: ['raft'],
    weaken: before((state, event) => [isMessage(event, 'vote') ? { ...state, promise: undefined } : state, event]),
    seedsMax: 0,
    directed: directed.boundVoterIsAsked,
  },
  'a leader grants votes': {
    strategies: ['raft'],
    weaken: before((state, event) => [
      isMessage(event, 'vote') ? { ...state, mandate: undefined, promise: undefined } : state,
      event,
    ]),
    seedsMax: 0,
    directed: directed.leaderIsAsked,
  },
  'a candidate that was paused completes an old ballot': {
    strategies: ['raft'],
    weaken: before((state, event, now) => [
      isMessage(event, 'voteReply') && state.ballot !== undefined
        ? { ...state, ballot: { ...state.ballot, startedAt: now } }
        : state,
      event,
    ]),
    seedsMax: 0,
    directed: directed.candidateWasPaused,
  },
  'the bucket puts instead of comparing': { strategies: ['lease'], weaken: { putInsteadOfCas: true }, seedsMax: 60 },
  'a record is taken while its holder may still lead': {
    strategies: ['lease'],
    weaken: { timings: { lease: { ...defaultTimings.lease, takeoverMs: 3_000 } } },
    seedsMax: 100,
  },
  'the record is held from the answer on': {
    strategies: ['lease'],
    weaken: around((step) => (state, event, now, rng) => {
      const done = step(state, event, now, rng);
      const { holding } = done.state;
      if (event.kind !== 'kvAnswered' || event.result.kind !== 'written' || holding === undefined) return done;
      return { ...done, state: { ...done.state, holding: { ...holding, until: now + 6_300 } } };
    }),
    seedsMax: 0,
    directed: directed.recordAnswerComesLate,
  },
  'a lost answer is taken for a success': {
    strategies: ['lease'],
    weaken: before((state, event) => [
      state,
      event.kind === 'kvAnswered' && event.result.kind === 'failed'
        ? { ...event, result: { kind: 'written', rev: state.holding?.rev ?? state.taking?.rev ?? 0 } }
        : event,
    ]),
    seedsMax: 100,
  },
};
