import type { Assignment, AttemptRef } from '@das/contracts';
import { type JobId, assertNever, move } from '@das/kernel';
import { type Attempt, type AttemptKey, type AttemptState, attemptKey, attemptTransitions } from './attempt.js';

/** What an executor has to keep in mind to decide. Never changed in place. */
export interface ExecutorState {
  readonly slots: number;
  /** The highest term seen; acts of lower ones are refused. */
  readonly highestTerm: number;
  readonly draining: boolean;
  /** So much output waits for the store that nothing new starts. */
  readonly holdFull: boolean;
  /** Open attempts in the order of their arrival. */
  readonly attempts: ReadonlyMap<AttemptKey, Attempt>;
  /** Attempts that ended lately, oldest first: they are not run a second time. */
  readonly ended: readonly AttemptKey[];
}

export type ExecutorEvent =
  /** Done by an earlier life of this service, with their output on disk. */
  | { readonly kind: 'restored'; readonly assignments: readonly Assignment[] }
  | { readonly kind: 'assigned'; readonly term: number; readonly assignments: readonly Assignment[] }
  | { readonly kind: 'dropped'; readonly term: number; readonly attempts: readonly AttemptRef[] }
  /** The worker is done with it; its output is complete. */
  | { readonly kind: 'ran'; readonly key: AttemptKey }
  /** The store judged it. */
  | { readonly kind: 'settled'; readonly key: AttemptKey }
  /** This node cannot go on with it. */
  | { readonly kind: 'givenBack'; readonly key: AttemptKey }
  /** `succeeded`: whoever holds a commit of it may have ended it by that, and gets the answer. */
  | {
      readonly kind: 'jobEnded';
      readonly job: JobId;
      readonly belowGeneration?: number | undefined;
      readonly succeeded?: boolean;
    }
  | { readonly kind: 'heldOutput'; readonly full: boolean }
  | { readonly kind: 'draining' }
  /** The store's term, asked for when `highestTerm` was the highest seen. A lower one: the store was replaced by a new one. */
  | { readonly kind: 'termRead'; readonly term: number; readonly highestTerm: number };

export type ExecutorEffect =
  /** Fetch code and items ahead. */
  | { readonly kind: 'prepare'; readonly attempt: Attempt }
  | { readonly kind: 'start'; readonly attempt: Attempt }
  /** End its worker and forget what it holds; nothing is told. */
  | { readonly kind: 'stop'; readonly attempt: Attempt }
  /** Tell that it was not started and never will be. */
  | { readonly kind: 'refuse'; readonly attempt: Attempt }
  /** Its end was told, but the leader does not know it: tell again. */
  | { readonly kind: 'repeatEnd'; readonly key: AttemptKey }
  | { readonly kind: 'keepTerm'; readonly term: number };

export type Verdict = 'accepted' | 'staleTerm' | 'draining';
export interface Step {
  readonly state: ExecutorState;
  readonly effects: readonly ExecutorEffect[];
  /** The answer to an act of a leader. */
  readonly verdict: Verdict;
}

/** Open attempts; a leader queues a few per slot, so more are a defect of the sender. */
export const attemptsMax = 4_096;
/** Names of ended attempts that are remembered. */
export const endedMax = 1_024;

export const newExecutor = (slots: number, highestTerm: number): ExecutorState => ({
  slots,
  highestTerm,
  draining: false,
  holdFull: false,
  attempts: new Map(),
  ended: [],
});

/** One decision: takes an event in, and says what is to be done about it, in order. */
export function step(state: ExecutorState, event: ExecutorEvent): Step {
  switch (event.kind) {
    case 'restored':
      return done(restored(state, event.assignments));
    case 'assigned':
      return assigned(state, event.term, event.assignments);
    case 'dropped':
      return dropped(state, event.term, event.attempts);
    case 'ran':
      return startNext(moved(state, event.key, 'holding'));
    case 'settled':
      return startNext(ended(state, event.key, 'finished'));
    case 'givenBack':
      return startNext(ended(state, event.key, 'abandoned'));
    case 'jobEnded':
      return jobEnded(state, event);
    case 'heldOutput':
      return startNext({ ...state, holdFull: event.full });
    case 'draining':
      return draining(state);
    case 'termRead':
      return termRead(state, event.term, event.highestTerm);
    default:
      return assertNever(event);
  }
}

const done = (state: ExecutorState): Step => ({ state, effects: [], verdict: 'accepted' });

/** They hold no slot; heartbeats name them from the first one on, so that nobody gives their parts to others. */
function restored(state: ExecutorState, assignments: readonly Assignment[]): ExecutorState {
  const attempts = new Map(state.attempts);
  for (const assignment of assignments) {
    const key = attemptKey(assignment);
    attempts.set(key, { key, state: 'holding', assignment });
  }
  return { ...state, attempts };
}

function assigned(before: ExecutorState, term: number, assignments: readonly Assignment[]): Step {
  if (term < before.highestTerm) return { ...done(before), verdict: 'staleTerm' };
  const { state, effects } = seen(before, term);
  if (state.draining || state.attempts.size + assignments.length > attemptsMax)
    return { state, effects, verdict: 'draining' };
  const attempts = new Map(state.attempts);
  const added: ExecutorEffect[] = [];
  for (const assignment of assignments) added.push(...take(state, attempts, assignment));
  return after([...effects, ...added], startNext({ ...state, attempts }));
}

/** Attempts that are known are neither started twice nor refused. */
function take(state: ExecutorState, attempts: Map<AttemptKey, Attempt>, assignment: Assignment): ExecutorEffect[] {
  const key = attemptKey(assignment);
  if (attempts.has(key)) return [];
  if (state.ended.includes(key)) return [{ kind: 'repeatEnd', key }];
  const attempt: Attempt = { key, state: 'queued', assignment };
  attempts.set(key, attempt);
  return [{ kind: 'prepare', attempt }];
}

function dropped(before: ExecutorState, term: number, refs: readonly AttemptRef[]): Step {
  if (term < before.highestTerm) return { ...done(before), verdict: 'staleTerm' };
  const { state, effects } = seen(before, term);
  const keys = new Set(refs.map(attemptKey));
  return after(
    effects,
    stopAll(state, (attempt) => keys.has(attempt.key)),
  );
}

/** A term that is kept before it is acted on outlives a restart. */
function seen(state: ExecutorState, term: number): Pick<Step, 'state' | 'effects'> {
  if (term === state.highestTerm) return { state, effects: [] };
  return { state: { ...state, highestTerm: term }, effects: [{ kind: 'keepTerm', term }] };
}

/** An answer that was asked for before a higher act arrived says nothing about that act. */
function termRead(state: ExecutorState, term: number, highestTerm: number): Step {
  if (highestTerm !== state.highestTerm || term >= highestTerm) return done(state);
  return { ...done({ ...state, highestTerm: term }), effects: [{ kind: 'keepTerm', term }] };
}

function jobEnded(state: ExecutorState, ended: Extract<ExecutorEvent, { kind: 'jobEnded' }>): Step {
  const { job, belowGeneration = Number.POSITIVE_INFINITY, succeeded = false } = ended;
  return stopAll(state, ({ assignment, state: phase }) => {
    if (succeeded && phase === 'holding') return false;
    return assignment.job === job && assignment.generation < belowGeneration;
  });
}

function stopAll(state: ExecutorState, concerned: (attempt: Attempt) => boolean): Step {
  const effects: ExecutorEffect[] = [];
  let next = state;
  for (const attempt of state.attempts.values()) {
    if (!concerned(attempt)) continue;
    next = ended(next, attempt.key, 'abandoned');
    effects.push({ kind: 'stop', attempt });
  }
  return after(effects, startNext(next));
}

/** What runs may end; what waits goes back at once. */
function draining(state: ExecutorState): Step {
  const effects: ExecutorEffect[] = [];
  let next: ExecutorState = { ...state, draining: true };
  for (const attempt of state.attempts.values()) {
    if (attempt.state !== 'queued') continue;
    next = ended(next, attempt.key, 'abandoned');
    effects.push({ kind: 'refuse', attempt });
  }
  return { state: next, effects, verdict: 'accepted' };
}

/** Fills free slots, first come first served: within a job that is the order of its items, and between jobs the leader was fair already. */
function startNext(state: ExecutorState): Step {
  if (state.holdFull || state.draining) return done(state);
  let free = state.slots - countIn(state, 'running');
  const effects: ExecutorEffect[] = [];
  let next = state;
  for (const attempt of state.attempts.values()) {
    if (free === 0) break;
    if (attempt.state !== 'queued') continue;
    next = moved(next, attempt.key, 'running');
    effects.push({ kind: 'start', attempt });
    free -= 1;
  }
  return { state: next, effects, verdict: 'accepted' };
}

const after = (effects: readonly ExecutorEffect[], next: Step): Step => ({
  ...next,
  effects: [...effects, ...next.effects],
});

/** How many attempts are in a state. */
export function countIn(state: ExecutorState, wanted: Attempt['state']): number {
  let count = 0;
  for (const attempt of state.attempts.values()) if (attempt.state === wanted) count += 1;
  return count;
}

/** A late word about an attempt that was stopped meanwhile changes nothing. */
function moved(state: ExecutorState, key: AttemptKey, to: 'running' | 'holding'): ExecutorState {
  const attempt = state.attempts.get(key);
  if (attempt === undefined) return state;
  const next = move<AttemptState, Attempt>(attemptTransitions, attempt, to, 'executor');
  return { ...state, attempts: new Map(state.attempts).set(key, next) };
}

function ended(state: ExecutorState, key: AttemptKey, to: 'finished' | 'abandoned'): ExecutorState {
  const attempt = state.attempts.get(key);
  if (attempt === undefined) return state;
  move<AttemptState, Attempt>(attemptTransitions, attempt, to, 'executor');
  const attempts = new Map(state.attempts);
  attempts.delete(key);
  return { ...state, attempts, ended: [...state.ended, key].slice(-endedMax) };
}
