import type { StrategyName } from '@das/election';
import type { Directed } from './directed.js';
import { BrokenPromise } from './judge.js';
import { type Mutant, mutants } from './mutants.js';
import { simulate } from './storm.js';
import type { Weakening } from './weakening.js';

const strategies: readonly StrategyName[] = ['bully', 'raft', 'lease'];

/** The promise that a mutant breaks in the storm of this seed; nothing when it passes. */
function brokenBy(weaken: Weakening, seed: number): string | undefined {
  try {
    simulate(seed, { strategy: strategies[seed % strategies.length] ?? 'bully', weaken });
    return undefined;
  } catch (error) {
    if (error instanceof BrokenPromise) return error.promise;
    throw error;
  }
}

/** Takes one protection away after the other; a line for each. Returns how many were not missed. */
export function findMutants(tell: (line: string) => void): number {
  let missed = 0;
  for (const [name, mutant] of Object.entries(mutants)) {
    const found = foundBy(mutant);
    if (found === undefined) missed += 1;
    tell(`${(found ?? 'NOT FOUND').padEnd(16)} ${name}`);
  }
  return missed;
}

/** Who finds a mutant: its scenario, or the storm of a seed. Nothing when neither does, or a scenario fails when nothing is broken. */
export function foundBy({ weaken, seedsMax, directed }: Mutant): string | undefined {
  if (directed !== undefined && (fails(directed, {}) || !fails(directed, weaken))) return undefined;
  for (let seed = 1; seed <= seedsMax; seed += 1)
    if (brokenBy(weaken, seed) !== undefined) return `storm of seed ${seed}`;
  return directed === undefined ? undefined : 'its scenario';
}

function fails(directed: Directed, weaken: Weakening): boolean {
  try {
    directed(weaken);
    return false;
  } catch {
    return true;
  }
}
