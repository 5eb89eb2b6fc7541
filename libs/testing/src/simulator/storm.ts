import { seeded } from '@das/election/sim';
import type { NodeId } from '@das/kernel';
import { checkResults, unrest } from './agreement.js';
import { checkBounds } from './bounds.js';
import { Cluster } from './cluster.js';
import { blow, calm } from './faults.js';
import { type SimulationOptions, optionsOf } from './options.js';
import { drawJob } from './workload.js';

/** What a run leaves besides its promises kept. */
export interface Run {
  readonly cluster: Cluster;
  readonly faults: ReadonlyMap<string, number>;
  /** Time that passed in it (ms). */
  readonly virtualMs: number;
}

/** By then a calm cluster has come to rest (ms); it is looked at this often. */
const calmMaxMs = 90_000;
const lookEveryMs = 500;
const boundsEveryMs = 5_000;

/**
 * One seeded run: jobs are submitted while things go wrong, then a calm tail in which everything has to end well.
 * @throws BrokenPromise that names the seed.
 */
export function simulate(seed: number, given: Partial<SimulationOptions> = {}): Run {
  const options = optionsOf(seed, given);
  const cluster = new Cluster(options);
  for (const node of cluster.nodes) cluster.time.after(cluster.rng() * 500, () => node.start());
  const draw = seeded(seed + 3e9);
  for (let job = 1; job <= options.jobs; job += 1) {
    const contact = cluster.names[Math.floor(draw() * cluster.names.length)] as NodeId;
    cluster.submit(drawJob(draw, `j${job}`, contact, 500 + draw() * (options.stormMs - 500)));
  }
  const faults = options.faultEveryMs === undefined ? new Map() : blow(cluster, options.faultEveryMs, options.stormMs);
  for (let at = boundsEveryMs; at <= options.stormMs; at += boundsEveryMs) {
    cluster.runUntil(at);
    checkBounds(cluster);
  }
  cluster.runUntil(options.stormMs);
  calm(cluster);
  settle(cluster);
  return { cluster, faults, virtualMs: cluster.time.now };
}

/** Waits until all is well, and sees that it stays so. */
export function settle(cluster: Cluster): void {
  const deadline = cluster.time.now + calmMaxMs;
  while (unrest(cluster) !== undefined && cluster.time.now < deadline) cluster.runUntil(cluster.time.now + lookEveryMs);
  const why = unrest(cluster);
  if (why !== undefined) cluster.judge.fail('after the calm all is well', why);
  checkResults(cluster);
  checkBounds(cluster);
}
