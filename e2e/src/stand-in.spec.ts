import {
  assignParts,
  attemptFinished,
  commitPart,
  executorBeat,
  inspectScript,
  nodeAttributes,
  type Assignment,
  type HeldAttempt,
} from '@das/contracts';
import { nodeId } from '@das/kernel';
import { ServiceBusOver, connectNats, type ServiceBus } from '@das/messaging';
import { SystemClock, newId } from '@das/platform';
import { script, testCluster, type TestCluster } from './harness.js';

const node = nodeId('node-1');
const clock = new SystemClock();
const none = { split: false, map: true, combine: false, reduce: false, gather: false, main: false };

/** An executor that shares nothing with ours but the contracts: it "runs" every script by doubling the item's number. */
class StandIn {
  readonly #held = new Map<string, HeldAttempt>();
  constructor(private readonly bus: ServiceBus) {}

  async start(): Promise<() => void> {
    await this.bus.answer(inspectScript, async () => ({ functions: none }));
    await this.bus.answer(assignParts, async ({ act, assignments }) => {
      for (const assignment of assignments) void this.#run(assignment);
      return { outcome: 'accepted' as const, highestTerm: act.term };
    });
    this.#beat();
    return clock.every(500, () => this.#beat());
  }
  #beat(): void {
    this.bus.tell(nodeAttributes, { slots: 2 });
    const held = [...this.#held.values()];
    this.bus.tell(executorBeat, { node, epoch: 'stand-in', slots: 2, draining: false, held, rssBytes: 0, workers: 0 });
  }
  async #run({ job, generation, part, attempt, from, to }: Assignment): Promise<void> {
    const ref = { job, generation, part, attempt };
    this.#held.set(part, { ...ref, phase: 'running', items: 0, runningMs: 0 });
    const raw = Buffer.from(Array.from({ length: to - from }, (_, index) => `${(from + index) * 2}\n`).join(''));
    const rows = [{ kind: 'map' as const, bucket: 0, from, to, seq: 0, bytes: raw.length }];
    const request = { attempt: ref, node, rows, done: [{ from, to }], failures: [], unfinished: [], busyMs: 1 };
    const { body } = await this.bus.call(commitPart, request, { raw });
    this.#held.delete(part);
    this.bus.tell(attemptFinished, {
      attempt: ref,
      kind: 'map',
      node,
      outcome: body.outcome,
      items: to - from,
      busyMs: 1,
      children: [],
      failed: [],
    });
  }
}

let running: TestCluster;
beforeAll(async () => {
  const services = 'membership,election,job-splitter,results-store,telemetry';
  running = await testCluster({ nodes: 1, env: { DAS_NODE_SERVICES: services } });
});
afterAll(() => running.stop());

it('replaces the executor by a stand-in that speaks only the contracts', async () => {
  const { natsUrl, token } = running.cluster;
  const bus = await connectNats({ url: natsUrl, token, name: 'stand-in' });
  const services = new ServiceBusOver(bus, { node, service: 'executor' }, clock, newId);
  const stop = await new StandIn(services).start();
  try {
    const job = await running
      .node(1)
      .submit({ code: script('def map(x):\n    return x\n'), input: { range: [0, 500] } });
    expect((await running.ended(job.id)).state).toBe('succeeded');
    expect(await running.node(1).results(job.id)).toBe(Array.from({ length: 500 }, (_, n) => `${n * 2}\n`).join(''));
  } finally {
    stop();
    await services.close();
    await bus.close();
  }
});
