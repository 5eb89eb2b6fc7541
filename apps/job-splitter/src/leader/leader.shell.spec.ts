import { coordinator, executorBeat, listMembers, loadJobs, loadParts, memberDead, saveActs } from '@das/contracts';
import type { JobRecord, Member, RequestOf } from '@das/contracts';
import { jobId, nodeId } from '@das/kernel';
import { MemoryEventLog, MemoryHub, ServiceBusOver } from '@das/messaging';
import type { ServiceContext } from '@das/platform';
import { FakeClock } from '@das/testing';
import { LeaderShell } from './leader.shell.js';

type Acts = RequestOf<typeof saveActs>;
const [own, old] = [nodeId('node-1'), nodeId('node-2')];
const job = jobId('j-1');
const said = { incarnation: 1, address: '127.0.0.1:2', sinceMs: 5, services: [], labels: {}, version: '0.1.0' };
const record: JobRecord = {
  spec: {
    job,
    name: 'j',
    language: 'python',
    filename: 'job.py',
    code: '2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881',
    functions: { split: false, map: true, combine: false, reduce: false, gather: false, main: false },
    input: { kind: 'range', from: 0, to: 16 },
    params: {},
    limits: { timeoutMs: 10_000, retries: 2, tolerate: { items: 0 }, priority: 100, buckets: 4 },
    contact: own,
    network: false,
  },
  state: 'running',
  generation: 1,
  sealed: true,
  items: 16,
  cut: 16,
  createdAt: 0,
};
const beat = { node: old, epoch: 'e', slots: 1, draining: false, held: [], rssBytes: 0, workers: 0 };
const live = [{ attempt: 1, node: old }];
const part = { part: 'map:0-16', kind: 'map', from: 0, to: 16, tries: 0, state: 'assigned', lastAttempt: 1, live };

describe('a new leader after the death of the one before it', () => {
  let clock: FakeClock;
  let bus: ServiceBusOver;
  let shell: LeaderShell;
  let state: Member['state'];
  let saved: Acts[];
  /** Awaited before the members are told. */
  let gate: Promise<void>;

  beforeEach(async () => {
    clock = new FakeClock();
    const hub = new MemoryHub(clock);
    let ids = 0;
    const newId = (): string => `id-${(ids += 1)}`;
    const busOf = (service: string) => new ServiceBusOver(hub.connect(), { node: own, service }, clock, newId);
    bus = busOf('stand-ins');
    [saved, state, gate] = [[], 'dead', Promise.resolve()];
    await bus.answer(listMembers, async () => {
      await gate;
      return { members: [{ ...said, node: old, state }] };
    });
    await bus.answer(loadJobs, async () => ({
      jobs: [{ record, counts: { committed: 0, failed: 0, open: 1 } }],
      more: false,
    }));
    await bus.answer(loadParts, async () => ({ parts: [part as never], more: false }));
    await bus.answer(saveActs, async (acts) => {
      saved.push(acts);
      return { outcome: 'saved' as const, term: 2, stale: [] };
    });
    const quiet = (): void => undefined;
    const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
    const context = { node: own, clock, bus: busOf('job-splitter'), events: new MemoryEventLog(), log, newId, env: {} };
    shell = new LeaderShell(context as unknown as ServiceContext);
    await shell.onApplicationBootstrap();
  });
  afterEach(async () => {
    shell.onApplicationShutdown();
    await bus.close();
  });

  const elect = async (): Promise<void> => {
    bus.tell(coordinator, { leader: own, term: 2, resigned: false, trustMs: 60_000 });
    await clock.advanceAsync(400);
  };
  const ended = (): unknown[] => saved.flatMap((acts) => acts.ended);

  it('gives its parts to others at once, though it was declared dead before this office began', async () => {
    bus.tell(memberDead, { by: own, member: { ...said, node: old, state } });
    await clock.advanceAsync(10);
    await elect();
    expect(ended()).toMatchObject([{ part: 'map:0-16', attempt: 1, why: 'membership says dead' }]);
  });

  it('leaves them to a node that beat since, whatever a late answer says; what membership says later counts', async () => {
    let open = (): void => undefined;
    gate = new Promise((resolve) => (open = resolve));
    await elect();
    bus.tell(executorBeat, beat);
    await clock.advanceAsync(100);
    open();
    await clock.advanceAsync(400);
    expect(ended()).toEqual([]);
    bus.tell(memberDead, { by: own, member: { ...said, node: old, state } });
    await clock.advanceAsync(400);
    expect(ended()).toHaveLength(1);
  });

  it('waits for its beats while nobody says that it is gone', async () => {
    state = 'suspect';
    await elect();
    expect(ended()).toEqual([]);
    bus.tell(executorBeat, beat);
    bus.tell(memberDead, { by: own, member: { ...said, node: old, state: 'dead' } });
    await clock.advanceAsync(400);
    expect(ended()).toHaveLength(1);
  });
});
