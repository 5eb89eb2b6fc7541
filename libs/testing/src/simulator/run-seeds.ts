import { BrokenPromise } from './judge.js';
import type { SimulationOptions } from './options.js';
import { simulate } from './storm.js';

/** What many seeds came to. */
export interface Seeds {
  readonly runs: number;
  readonly virtualMs: number;
  readonly faults: ReadonlyMap<string, number>;
  readonly broken: readonly { readonly seed: number; readonly message: string }[];
  /** Of the runs that were traced. */
  readonly log: readonly string[];
}

/** Seeds that break a promise end the run at this many: more of them tell nothing new. */
const brokenMax = 10;

/** Runs seeds one after the other. @throws what is no broken promise: a defect of the simulator itself. */
export function runSeeds(from: number, to: number, options: (seed: number) => SimulationOptions): Seeds {
  const faults = new Map<string, number>();
  const broken: { seed: number; message: string }[] = [];
  const log: string[] = [];
  let [runs, virtualMs] = [0, 0];
  for (let seed = from; seed <= to && broken.length < brokenMax; seed += 1) {
    runs += 1;
    try {
      const run = simulate(seed, options(seed));
      virtualMs += run.virtualMs;
      log.push(...run.cluster.log);
      for (const [kind, count] of run.faults) faults.set(kind, (faults.get(kind) ?? 0) + count);
    } catch (error) {
      if (!(error instanceof BrokenPromise)) throw error;
      log.push(...error.log);
      broken.push({ seed, message: error.message });
    }
  }
  return { runs, virtualMs, faults, broken, log };
}
