import type { Assignment, AttemptRef } from '@das/contracts';
import type { TransitionTable } from '@das/kernel';

/** An attempt's life on its node. Only open ones are kept; of ended ones only the name, for a while. */
export const attemptTransitions = {
  queued: ['running', 'abandoned'],
  /** A worker runs it. */
  running: ['holding', 'abandoned'],
  /** Done; its slot is free; its output waits for the store's word. */
  holding: ['finished', 'abandoned'],
  /** The store has judged it. */
  finished: [],
  /** It ended without a commit: dropped, its job ended, or given back. */
  abandoned: [],
} as const satisfies TransitionTable<'queued' | 'running' | 'holding' | 'finished' | 'abandoned'>;
export type AttemptState = keyof typeof attemptTransitions;

/** Names one attempt on this node. */
export type AttemptKey = string;

export interface Attempt {
  readonly key: AttemptKey;
  readonly state: AttemptState;
  readonly assignment: Assignment;
}

export const attemptKey = ({ job, generation, part, attempt }: AttemptRef): AttemptKey =>
  `${job}/${generation}/${part}/${attempt}`;
