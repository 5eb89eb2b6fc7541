import type { StrategyName } from '../core/types.js';
import type { Timings } from '../core/timings.js';
import type { ElectionStrategy } from '../ports/election-strategy.js';

/** One simulated cluster; the seed decides all that is left to chance. */
export interface WorldOptions {
  readonly seed: number;
  readonly nodes: readonly string[];
  /** @default bully */
  readonly strategy?: StrategyName;
  /** Who votes; @default all nodes. */
  readonly voters?: readonly string[];
  readonly priorities?: Readonly<Record<string, number>>;
  /** One-way delay of a message (ms). */
  readonly latencyMs?: readonly [number, number];
  readonly loss?: number;
  readonly duplicates?: number;
  /** Share of messages that take ten times as long, so that later ones overtake them. */
  readonly stragglers?: number;
  /** Clocks run at 1 ± this. */
  readonly clockRate?: number;
  /** Silence after which membership calls a node dead (ms). */
  readonly deadMs?: number;
  readonly timings?: Partial<Timings>;
  readonly weaken?: Weakening;
  /** Keeps the dialogue of all nodes. @default true */
  readonly trace?: boolean;
}

/** Takes one protection away. Only the simulator knows these: the strategy is wrapped, the stores around it are made worse. */
export interface Weakening {
  readonly strategy?: (real: ElectionStrategy) => ElectionStrategy;
  readonly timings?: Partial<Timings>;
  /** Whoever acts is believed, whatever its term. */
  readonly noFence?: boolean;
  /** Votes are confirmed and forgotten. */
  readonly noPersistence?: boolean;
  /** The bucket overwrites whatever the revision is. */
  readonly putInsteadOfCas?: boolean;
}
