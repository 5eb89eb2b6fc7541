import { type Mutant, mutants } from './mutants.js';
import { agreed, storm } from './storm.js';
import type { StrategyName } from '../core/types.js';

/** `MUTATION_SEEDS=200` counts how many storms find each, instead of stopping at the first. */
const counted = Number(process.env['MUTATION_SEEDS'] ?? 0);

/** The first sentence of what the judge said; undefined when it found nothing. */
function verdict(mutant: Mutant, strategy: StrategyName, seed: number): string | undefined {
  try {
    agreed(storm(seed, 3, { strategy, weaken: mutant.weaken }));
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

const cases = Object.entries(mutants).flatMap(([name, mutant]) =>
  mutant.strategies.map((strategy) => [strategy, name, mutant] as const),
);

/** The watch must bite: each protection is taken away in turn, and the storms must find it. */
describe('election under faults, broken on purpose', () => {
  it.each(cases)('%s: finds that %s', (strategy, name, mutant) => {
    if (counted > 0) return count(strategy, name, mutant);
    if (mutant.directed !== undefined) {
      expect(() => mutant.directed?.({})).not.toThrow();
      expect(() => mutant.directed?.(mutant.weaken)).toThrow();
    }
    if (mutant.seedsMax === 0) return;
    for (let seed = 1; seed <= mutant.seedsMax; seed += 1) if (verdict(mutant, strategy, seed) !== undefined) return;
    throw new Error(`not found in ${mutant.seedsMax} storms`);
  });

  it.each(['bully', 'raft', 'lease'] as const)('%s: finds nothing when nothing is broken', (strategy) => {
    const whole: Mutant = { strategies: [strategy], weaken: {}, seedsMax: 0 };
    for (let seed = 1; seed <= 20; seed += 1) expect(verdict(whole, strategy, seed)).toBeUndefined();
  });

  function count(strategy: StrategyName, name: string, mutant: Mutant): void {
    const found = Array.from({ length: counted }, (_, i) => verdict(mutant, strategy, i + 1));
    const hits = found.filter((text) => text !== undefined);
    const first = found.findIndex((text) => text !== undefined) + 1;
    process.stderr.write(
      `${strategy}: ${name}: ${hits.length} of ${counted}, first by seed ${first}: ${hits[0] ?? '-'}\n`,
    );
    if (mutant.directed === undefined) expect(hits).not.toEqual([]);
  }
});
