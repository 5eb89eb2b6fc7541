import { type Functions, clusterStatus, getLeader, inspectScript, listMembers } from '@das/contracts';
import { type NodeId, nodeId } from '@das/kernel';
import type { ServiceBus } from '@das/messaging';

const names = ['split', 'map', 'combine', 'reduce', 'gather', 'main'] as const;

/** An executor that only parses: by a pattern, which is enough for tests of the front door. `inspected` counts what it was asked. */
export class StandInExecutor {
  inspected = 0;
  constructor(private readonly bus: ServiceBus) {}

  async start(): Promise<this> {
    await this.bus.answer(inspectScript, async ({ codeText }) => {
      this.inspected += 1;
      const broken = codeText.split('\n').findIndex((line) => line.includes('def map(:'));
      if (broken >= 0) return { fault: { line: broken + 1, column: 9, text: 'def map(:', message: 'invalid syntax' } };
      const defined = names.map((name) => [name, codeText.includes(`def ${name}(`)]);
      return { functions: Object.fromEntries(defined) as Functions };
    });
    return this;
  }
}

/** Membership, election and telemetry of a cluster of two, as the front door of `node-1` asks them. */
export async function startStandInCluster(bus: ServiceBus, leader: () => NodeId | undefined): Promise<void> {
  const alive = { state: 'alive', incarnation: 1, address: '127.0.0.1:2', version: '0.1.0', sinceMs: 5 } as const;
  const says = { services: ['executor', 'membership'], labels: {} };
  const members = [
    { ...alive, ...says, node: nodeId('node-1'), rest: 'http://127.0.0.1:1', slots: 2 },
    { ...alive, ...says, node: nodeId('node-2') },
  ];
  await bus.answer(listMembers, async () => ({ members }));
  await bus.answer(getLeader, async () => {
    const node = leader();
    return node === undefined ? { term: 3 } : { leader: node, term: 3 };
  });
  const load = { running: 1, queued: 2, holding: 0, workers: 3, rssBytes: 4, draining: false, agoMs: 5 };
  await bus.answer(clusterStatus, async () => ({ nodes: [{ node: nodeId('node-1'), slots: 3, ...load }] }));
}
