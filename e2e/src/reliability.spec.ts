import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { type Strategy, performRuns, shortPace, usualPace } from '@das/testing/reliability';
import { leftovers } from '../../tools/leftovers.mjs';
import { repository } from './harness.js';

/** How many runs a tier makes with each layout of processes, and on what. */
const tiers = {
  test: { runs: 2, nodes: 3, seconds: 12, pace: shortPace, faultsMax: 4 },
  full: { runs: 5, nodes: 3, seconds: 20, pace: shortPace, faultsMax: 8 },
  nightly: { runs: 15, nodes: 5, seconds: 60, pace: usualPace, faultsMax: 20 },
} as const;
const { DAS_TEST_TIER: tier, DAS_E2E_PROCESSES: layout, DAS_RELIABILITY_SEED: replayed } = process.env;
const { runs, ...size } = tiers[tier === 'full' || tier === 'nightly' ? tier : 'test'];
const strategies: readonly Strategy[] = ['bully', 'raft', 'lease'];

/** Every run of `npm test` is the same; the longer tiers look elsewhere each time. */
const first =
  replayed === undefined ? (tier === 'full' || tier === 'nightly' ? randomInt(2 ** 30) : 12) : Number(replayed);
const cases = Array.from({ length: runs }, (_, index) => ({
  seed: first + index,
  strategy: strategies[(first + index) % strategies.length]!,
}));
/** Of a run that hangs: more than all the bounds within it. */
const runMs = 400_000 + size.seconds * 3_000;

describe('a job on real processes that are killed, paused and restarted at random', () => {
  it.each(cases)(
    'loses nothing and repeats nothing (seed $seed, $strategy)',
    async ({ seed, strategy }) => {
      const [run] = await performRuns({
        ...size,
        seed,
        strategy,
        runs: 1,
        slots: 2,
        processes: layout === 'split' ? 'split' : 'single',
        baseline: false,
        keep: join(repository, '.das/reliability'),
        leftovers,
        note: (line) => void process.stdout.write(`${line}\n`),
      });
      expect(run!.violations).toEqual([]);
      // How many there is time for is the machine's affair: a node starts slowly where others work, the job's items do not.
      expect(run!.faults.length).toBeGreaterThan(0);
    },
    runMs,
  );
});
