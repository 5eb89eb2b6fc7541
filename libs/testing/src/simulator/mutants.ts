import type { Directed } from './directed.js';
import { executorMutants } from './mutants-executor.js';
import { officeMutants } from './mutants-office.js';
import { storeMutants } from './mutants-store.js';
import type { Weakening } from './weakening.js';

/** One protection taken away. */
export interface Mutant {
  readonly weaken: Weakening;
  /** Storms within which it is found; 0: by its scenario alone. */
  readonly seedsMax: number;
  /** A scenario that finds it, where storms hardly do because another protection covers for it. */
  readonly directed?: Directed;
}

/** What each protection is for is said where it is; here is what happens without it. */
export const mutants: Readonly<Record<string, Mutant>> = { ...storeMutants, ...officeMutants, ...executorMutants };
