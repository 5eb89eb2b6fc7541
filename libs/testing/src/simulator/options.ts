import type { StrategyName } from '@das/election';
import type { Weakening } from './weakening.js';

/** One simulated run; the seed decides all that is left to chance. */
export interface SimulationOptions {
  readonly seed: number;
  readonly nodes: number;
  readonly strategy: StrategyName;
  /** How long things go wrong (ms of virtual time). */
  readonly stormMs: number;
  /** Jobs that users submit during the storm. */
  readonly jobs: number;
  /** Share of messages lost while it storms. */
  readonly loss: number;
  /** Mean time between two faults (ms); none when undefined. */
  readonly faultEveryMs: number | undefined;
  /** Keeps the log of all that happened. */
  readonly trace: boolean;
  /** Protections taken away on purpose. */
  readonly weaken: Weakening;
}

/** Members of most runs: the fewer there are, the more often each fault hits the leader, the contact node or the only executor. */
const sizes = [3, 4, 3, 5, 3, 7, 3, 5] as const;

/** Every so many seeds one has worse weather than the others: what needs several faults at once is met there. */
const worseEvery = 4;
const worse = { loss: 0.1, faultEveryMs: 350 };

/** The options of a seed, where nothing else is given. */
export function optionsOf(seed: number, given: Partial<SimulationOptions> = {}): SimulationOptions {
  return {
    seed,
    nodes: sizes[seed % sizes.length] ?? 3,
    strategy: 'bully',
    stormMs: 20_000,
    jobs: 3 + (seed % 3),
    loss: 0.03,
    faultEveryMs: 900,
    trace: false,
    weaken: {},
    ...(seed % worseEvery === 0 ? worse : {}),
    ...given,
  };
}
