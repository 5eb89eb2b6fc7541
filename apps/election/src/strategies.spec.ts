import { type Member, getLeader, memberJoined, membershipCounted } from '@das/contracts';
import { MemoryBucket, MemoryKvLease, type Vote, type VoteStore } from '@das/election';
import { type NodeId, nodeId } from '@das/kernel';
import { MemoryEventLog, MemoryHub, ServiceBusOver } from '@das/messaging';
import { type Logger, type RunningService, startService } from '@das/platform';
import { FakeClock } from '@das/testing';
import { ElectionModule } from './election.module.js';
import type { OpenPorts } from './election.service.js';
import { Heard, StandInStore, beatSplitters } from './testing/stand-ins.js';

/** Keeps a vote over a restart of the service, as a disk does. */
class MemoryVotes implements VoteStore {
  #vote: Vote | 'empty' = 'empty';
  broken = false;
  load(): Promise<Vote | 'empty'> {
    return Promise.resolve(this.#vote);
  }
  save(vote: Vote): Promise<void> {
    if (this.broken) return Promise.reject(new Error('no space left'));
    this.#vote = vote;
    return Promise.resolve();
  }
}

const memberOf = (node: NodeId): Member => ({
  node,
  state: 'alive',
  incarnation: 1,
  version: '1',
  sinceMs: 0,
  services: [],
  labels: {},
  address: '127.0.0.1:1',
});

/** On virtual time: three nodes over one bus, with what each strategy needs besides. */
describe('the election service by other strategies', () => {
  const nodes = ['node-a', 'node-b', 'node-c'].map(nodeId);
  const [a, b, c] = nodes as [NodeId, NodeId, NodeId];
  const voters = { DAS_ELECTION_VOTERS: nodes.join(',') };
  let clock: FakeClock;
  let hub: MemoryHub;
  let bus: ServiceBusOver;
  let store: StandInStore;
  let heard: Heard;
  let lines: string[];
  let bucket: MemoryBucket;
  const disks = new Map<NodeId, MemoryVotes>();
  const running = new Map<NodeId, RunningService>();

  const write = (_fields: unknown, message: string): void => void lines.push(message);
  const log: Logger = { debug: write, info: write, warn: write, error: write };
  let ids = 0;
  const diskOf = (node: NodeId): MemoryVotes => {
    const disk = disks.get(node) ?? new MemoryVotes();
    disks.set(node, disk);
    return disk;
  };
  const open: OpenPorts = async (_, { node }) => {
    const kv = new MemoryKvLease(bucket);
    return { votes: diskOf(node), kv, close: () => kv.close() };
  };

  async function start(node: NodeId, env: Record<string, string>): Promise<void> {
    const transport = { bus: hub.connect(), events: new MemoryEventLog() };
    const service = { name: 'election', module: () => ElectionModule.of(open) } as const;
    running.set(node, await startService(service, { DAS_NODE: node, ...env }, { transport, clock, log }));
  }
  async function stop(node: NodeId): Promise<void> {
    await running.get(node)?.close();
    running.delete(node);
  }
  async function startAll(env: Record<string, string>): Promise<NodeId> {
    for (const node of nodes) await start(node, env);
    for (const by of nodes) for (const node of nodes) bus.tell(memberJoined, { by, member: memberOf(node) });
    beatSplitters(bus, clock, nodes);
    await clock.advanceAsync(5_000);
    return heard.all.at(-1)?.leader as NodeId;
  }
  const askLeader = async (node: NodeId) => (await bus.call(getLeader, {}, { node })).body;

  beforeEach(async () => {
    clock = new FakeClock();
    hub = new MemoryHub(clock);
    lines = [];
    bucket = new MemoryBucket();
    disks.clear();
    const identity = { node: nodeId('stand-in'), service: 'results-store' };
    bus = new ServiceBusOver(hub.connect(), identity, clock, () => `id-${(ids += 1)}`);
    store = await new StandInStore(bus, clock).start();
    heard = await Heard.on(bus);
  });
  afterEach(async () => {
    for (const node of nodes) await stop(node);
    await bus.close();
  });

  it.each([
    ['raft', voters],
    ['lease', {}],
  ])('%s elects one whom all follow, and another at once when it is stopped', async (strategy, more) => {
    const leader = await startAll({ DAS_ELECTION: strategy, ...more });
    for (const node of nodes) expect(await askLeader(node)).toMatchObject({ leader, term: store.term });
    await stop(leader);
    await clock.advanceAsync(500);
    const next = heard.all.at(-1);
    expect(next).toMatchObject({ resigned: false, term: 2 });
    expect(next?.leader).not.toBe(leader);
    expect(next?.trustMs).toBeLessThanOrEqual(strategy === 'raft' ? 900 : 3_000);
  });

  it('raft says to the one who asks by whom it is blocked', async () => {
    const leader = await startAll({ DAS_ELECTION: 'raft', ...voters });
    for (const node of nodes) if (node !== leader) await stop(node);
    await clock.advanceAsync(8_000);
    const { leader: none, blocked } = await askLeader(leader);
    expect(none).toBeUndefined();
    expect(blocked).toContain('no leader: 2 of 3 voters (node-a, node-b, node-c) are needed');
    expect(lines.filter((line) => line === blocked)).toHaveLength(1);
  });

  it('raft gives no vote that cannot be stored, and says so', async () => {
    for (const node of nodes) diskOf(node).broken = true;
    await startAll({ DAS_ELECTION: 'raft', ...voters });
    expect(heard.all).toEqual([]);
    expect(lines).toContain('this voter cannot store its vote, and gives none');
  });

  it('raft refuses the votes of a node with another list, and says what to change', async () => {
    await start(a, { DAS_ELECTION: 'raft', ...voters });
    await start(b, { DAS_ELECTION: 'raft', DAS_ELECTION_VOTERS: `${a},${b}` });
    beatSplitters(bus, clock, nodes);
    await clock.advanceAsync(6_000);
    expect(heard.all).toEqual([]);
    expect(lines.some((line) => line.includes('bears the loss of 0, as 1 would'))).toBe(true);
    expect(
      lines.some((line) =>
        line.startsWith(`${b} goes by another list of voters (${a}, ${b}) than ${a} (${nodes.join(', ')})`),
      ),
    ).toBe(true);
  });

  it('raft keeps out a node that would be a majority of its own list, and shows it', async () => {
    for (const node of [a, b]) await start(node, { DAS_ELECTION: 'raft', ...voters });
    for (const by of nodes) for (const node of nodes) bus.tell(memberJoined, { by, member: memberOf(node) });
    beatSplitters(bus, clock, nodes);
    await clock.advanceAsync(5_000);
    const leader = heard.all.at(-1)?.leader as NodeId;
    await start(c, { DAS_ELECTION: 'raft', DAS_ELECTION_VOTERS: c });
    await clock.advanceAsync(2_000);
    const misfit = `${c} goes by the voters ${c}, but ${leader} was elected by ${nodes.join(', ')}: ${c} neither votes nor leads`;
    expect((await askLeader(c)).misfit).toContain(misfit);
    expect((await askLeader(leader)).misfit).toBeUndefined();
    expect(lines.filter((line) => line.startsWith(misfit))).toHaveLength(1);
    for (const node of [a, b]) await stop(node);
    await clock.advanceAsync(10_000);
    expect(heard.all.filter((one) => one.leader === c)).toEqual([]);
    expect((await askLeader(c)).blocked).toContain(misfit);
  });

  it('lease leads nobody while the bucket is away, and goes on when it is back', async () => {
    await startAll({ DAS_ELECTION: 'lease' });
    bucket.away = true;
    await clock.advanceAsync(6_000);
    for (const node of nodes) expect((await askLeader(node)).leader).toBeUndefined();
    bucket.away = false;
    await clock.advanceAsync(9_000);
    expect((await askLeader(a)).leader).toBe(heard.all.at(-1)?.leader);
    expect(store.term).toBe(2);
  });

  it('says that voters are set which nobody asks', async () => {
    await start(a, { DAS_ELECTION: 'bully', ...voters });
    expect(lines).toContainEqual(expect.stringContaining('set DAS_ELECTION=raft, or leave the voters out'));
  });

  it('bully moves the lead away from a node that membership finds unhealthy', async () => {
    expect(await startAll({ DAS_ELECTION: 'bully' })).toBe(c);
    await clock.advanceAsync(35_000);
    const counted = { startedAt: 0, members: { alive: 3, suspect: 0, dead: 0, left: 0 }, notes: {} };
    bus.tell(membershipCounted, { node: a, healthScore: 9, ...counted });
    await clock.advanceAsync(1_000);
    expect(heard.all.at(-1)).toMatchObject({ leader: c, term: 1 });
    bus.tell(membershipCounted, { node: c, healthScore: 5, ...counted });
    await clock.advanceAsync(1_000);
    expect(heard.all.at(-1)).toMatchObject({ leader: b, term: 2, resigned: false });
  });
});
