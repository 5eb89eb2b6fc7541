import { seeded } from '@das/election/sim';
import type { NodeId } from '@das/kernel';
import { checkResult } from './agreement.js';
import { checkBounds, largestOf } from './bounds.js';
import { Cluster } from './cluster.js';
import type { SimulationOptions } from './options.js';
import { settle } from './storm.js';
import { drawJob } from './workload.js';

/** What an endurance run was. */
export interface Endurance {
  readonly jobs: number;
  readonly restarts: number;
  /** The largest state map met, in words. */
  readonly largest: string;
}

const hourMs = 3_600_000;
const restartEveryMs = 600_000;
const downMs = 2_000;
const jobEveryMs = 30_000;
const lookEveryMs = 60_000;
const loss = 0.01;

/** One cluster for hours: jobs come and end, messages get lost, and every ten minutes another node is restarted. @throws BrokenPromise. */
export function endure(options: SimulationOptions, hours: number): Endurance {
  const cluster = new Cluster({ ...options, loss });
  for (const node of cluster.nodes) node.start();
  const draw = seeded(options.seed + 4e9);
  const endMs = hours * hourMs;
  let [jobs, restarts, largest] = [0, 0, { size: 0, text: 'nothing' }];
  const submit = (): void => {
    if (cluster.time.now > endMs) return;
    const contact = cluster.names[Math.floor(draw() * cluster.names.length)] as NodeId;
    cluster.submit(drawJob(draw, `j${(jobs += 1)}`, contact, cluster.time.now));
    cluster.time.after(jobEveryMs * 2 * draw(), submit);
  };
  const restart = (): void => {
    if (cluster.time.now > endMs) return;
    const node = cluster.nodes[(restarts += 1) % cluster.nodes.length];
    node?.crash();
    cluster.time.after(downMs, () => node?.start());
    cluster.time.after(restartEveryMs, restart);
  };
  cluster.time.after(5_000, submit);
  cluster.time.after(restartEveryMs, restart);
  for (let at = lookEveryMs; at <= endMs; at += lookEveryMs) {
    cluster.runUntil(at);
    checkBounds(cluster);
    const now = largestOf(cluster);
    if (now.size > largest.size) largest = now;
    sweep(cluster);
  }
  for (const links of [cluster.bus.links, cluster.gossip]) links.loss = 0;
  cluster.runUntil(cluster.time.now + downMs);
  settle(cluster);
  return { jobs, restarts, largest: largest.text };
}

/** Checks and forgets the jobs that ended. */
function sweep(cluster: Cluster): void {
  for (const client of [...cluster.clients]) {
    if (client.state === undefined) continue;
    checkResult(cluster, client);
    cluster.users.sweep(client);
  }
}
