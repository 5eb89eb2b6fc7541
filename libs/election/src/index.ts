import { initialState, leaderOf, step } from './core/bully.js';
import type { BullyConfig, BullyEffect, BullyEvent, BullyState } from './core/types.js';
import type { ElectionStrategy } from './ports/election-strategy.js';

/** The default strategy: the highest-ranked live node tries first. */
export const bully: ElectionStrategy<BullyConfig, BullyState, BullyEvent, BullyEffect> = {
  name: 'bully',
  initialState,
  step,
  leaderOf,
};

export { initialState, leaderOf, step } from './core/bully.js';
export { outranks } from './core/rank.js';
export { checkTimings } from './core/timings.js';
export {
  type BullyConfig,
  type BullyEffect,
  type BullyEvent,
  type BullyMessage,
  type BullyState,
  type BullyStep,
  type Phase,
  type TimerKind,
  type Timings,
  type WhyDown,
  defaultTimings,
} from './core/types.js';
export type { ElectionStrategy } from './ports/election-strategy.js';
export type { CurrentTerm, TermAuthority } from './ports/term-authority.js';
