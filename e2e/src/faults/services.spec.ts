import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ServiceName } from '@das/platform';
import { testCluster, until, type TestCluster } from '../harness.js';
import { expectWhole, full, midway, numberOf, work } from './work.js';

const services: readonly ServiceName[] = [
  'membership',
  'election',
  'job-splitter',
  'executor',
  'results-store',
  'telemetry',
];
const pausedMs = 5_000;
/** About 8 s on three nodes with two slots each: longer than the pause. */
const long = work(400, 0.12);
const short = work(240, 0.08);

let running: TestCluster;
beforeAll(async () => {
  running = await testCluster({ split: true });
});
afterAll(() => running.stop());

const nodes = ['node-1', 'node-2', 'node-3'];

async function pidOf(node: string, service: ServiceName): Promise<number> {
  return Number(await readFile(join(running.home, 'pids', `${node}-${service}.pid`), 'utf8'));
}

/** Another process does its work, and the node serves again. */
const replaced = (node: string, service: ServiceName, pid: number): Promise<true> =>
  until(`${service} of ${node} is back`, async () => {
    const now = await pidOf(node, service);
    if (now === pid || !process.kill(now, 0)) return undefined;
    return (await running.node(numberOf(node)).raw('/health/ready')).ok ? true : undefined;
  });

/** Ends or stops one process; resolves when the fault is over. */
const faults: Readonly<Record<string, (node: string, service: ServiceName) => Promise<void>>> = {
  SIGKILL: ends('SIGKILL'),
  SIGTERM: ends('SIGTERM'),
  'SIGSTOP for 5 s': async (node, service) => {
    const pid = await pidOf(node, service);
    process.kill(pid, 'SIGSTOP');
    try {
      await new Promise((done) => setTimeout(done, pausedMs));
    } finally {
      process.kill(pid, 'SIGCONT');
    }
  },
};

function ends(signal: NodeJS.Signals): (node: string, service: ServiceName) => Promise<void> {
  return async (node, service) => {
    const pid = await pidOf(node, service);
    process.kill(pid, signal);
    await replaced(node, service, pid);
  };
}

/** The leader, or the first node that is not. A node without fault is asked meanwhile. */
async function cast(onLeader: boolean): Promise<{ victim: string; watcher: number }> {
  const leader = await until('there is a leader', async () => (await running.node(1).leader()).leader);
  const victim = onLeader ? leader : nodes.find((node) => node !== leader)!;
  return { victim, watcher: numberOf(nodes.find((node) => node !== victim && node !== leader)!) };
}

async function hurt(fault: string, service: ServiceName, onLeader: boolean): Promise<void> {
  const { victim, watcher } = await cast(onLeader);
  const rest = running.node(watcher);
  const shape = fault.startsWith('SIGSTOP') ? long : short;
  const job = await rest.submit(shape.submission);
  await midway(rest, job.id, shape);
  await faults[fault]!(victim, service);
  await running.ended(job.id, watcher);
  await expectWhole(rest, job.id, shape);
}

type Case = readonly [string, ServiceName, 'leader' | 'other node'];

/** What `npm test` has time for: each process of the leader once, and the other faults where they matter most. */
const representative: readonly Case[] = [
  ...services.map((service): Case => ['SIGKILL', service, 'leader']),
  ['SIGSTOP for 5 s', 'job-splitter', 'leader'],
  ['SIGTERM', 'executor', 'other node'],
];
const matrix = Object.keys(faults).flatMap((fault) =>
  services.flatMap((service) => (['leader', 'other node'] as const).map((where): Case => [fault, service, where])),
);

describe('every kind of process in mid-job', () => {
  it.each(full ? matrix : representative)('%s of %s on the %s: nothing lost, nothing twice', (fault, service, where) =>
    hurt(fault, service, where === 'leader'),
  );
});

describe('a rolling restart in mid-job', () => {
  it.each(full ? services : (['election'] as const))(
    'of %s, node by node: nothing lost, nothing twice',
    async (service) => {
      const rest = running.node(1);
      const job = await rest.submit(long.submission);
      await midway(rest, job.id, long);
      for (const node of nodes) await ends('SIGTERM')(node, service);
      await running.ended(job.id);
      await expectWhole(rest, job.id, long);
    },
  );
});

it('serves one cluster by several stores and front doors', async () => {
  const pids = await Promise.all(nodes.map((node) => pidOf(node, 'results-store')));
  expect(new Set(pids).size).toBe(3);
  const shape = work(50, 0);
  const job = await running.node(1).submit(shape.submission);
  await running.ended(job.id, 2);
  process.kill(pids[0]!, 'SIGKILL');
  process.kill(pids[1]!, 'SIGKILL');
  const results = await Promise.all([1, 2, 3].map((node) => running.node(node).results(job.id)));
  expect(new Set(results)).toEqual(new Set([shape.expected]));
});
