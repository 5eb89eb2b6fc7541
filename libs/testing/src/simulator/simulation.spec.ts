import type { StrategyName } from '@das/election';
import { simulate } from './storm.js';

const strategies: readonly StrategyName[] = ['bully', 'raft', 'lease'];

/* Most seeds are run by tools/simulate.spec.mjs, with the command that users have. */
describe('a simulated cluster', () => {
  it.each(strategies)('%s: keeps every promise in a few storms', (strategy) => {
    for (let seed = 1; seed <= 5; seed += 1) simulate(seed, { strategy });
  });

  it.each(strategies)('%s: gives the same log for the same seed, byte for byte', (strategy) => {
    const [first, second] = [1, 2].map(() => simulate(7, { strategy, trace: true }).cluster.log.join('\n'));
    expect(first?.length).toBeGreaterThan(10_000);
    expect(second).toBe(first);
  });

  it('gives another log for another seed', () => {
    const [first, second] = [7, 8].map((seed) => simulate(seed, { trace: true }).cluster.log.join('\n'));
    expect(second).not.toBe(first);
  });

  it('goes the same way with and without a log', () => {
    const [with_, without] = [true, false].map((trace) => simulate(9, { trace }).virtualMs);
    expect(with_).toBe(without);
  });
});
