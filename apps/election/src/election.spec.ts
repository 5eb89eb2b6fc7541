import { electionCall, electionOk, getLeader, memberJoined, splitterBeat } from '@das/contracts';
import { type NodeId, nodeId } from '@das/kernel';
import { MemoryEventLog, MemoryHub, ServiceBusOver } from '@das/messaging';
import { ConfigError, type Logger, type RunningService, startService } from '@das/platform';
import { FakeClock } from '@das/testing';
import { service } from './service.js';
import { Heard, StandInStore, beatSplitters } from './testing/stand-ins.js';

/** On virtual time: the settings, what leaves the node, and when. */
describe('the election service', () => {
  const [a, b] = [nodeId('node-a'), nodeId('node-b')];
  let clock: FakeClock;
  let hub: MemoryHub;
  let bus: ServiceBusOver;
  let store: StandInStore;
  let heard: Heard;
  let lines: string[];
  const running: RunningService[] = [];

  const write = (_fields: unknown, message: string): void => void lines.push(message);
  const log: Logger = { debug: write, info: write, warn: write, error: write };
  let ids = 0;
  const newId = (): string => `id-${(ids += 1)}`;

  async function start(node: NodeId, env: Record<string, string> = {}): Promise<RunningService> {
    const transport = { bus: hub.connect(), events: new MemoryEventLog() };
    const started = await startService(service, { DAS_NODE: node, ...env }, { transport, clock, log });
    running.push(started);
    return started;
  }

  beforeEach(async () => {
    clock = new FakeClock();
    hub = new MemoryHub(clock);
    lines = [];
    bus = new ServiceBusOver(hub.connect(), { node: nodeId('stand-in'), service: 'results-store' }, clock, newId);
    store = await new StandInStore(bus, clock).start();
    heard = await Heard.on(bus);
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((service) => service.close()));
    await bus.close();
  });

  const askLeader = async (node: NodeId) => (await bus.call(getLeader, {}, { node })).body;

  it('leads alone after one second of silence, and tells the instance of its job-splitter', async () => {
    await start(a);
    beatSplitters(bus, clock, [a]);
    await clock.advanceAsync(900);
    expect(heard.all).toEqual([]);
    await clock.advanceAsync(500);
    expect(heard.all[0]).toMatchObject({ leader: a, term: 1, resigned: false, epoch: 'node-a-1' });
    expect(await askLeader(a)).toEqual({ leader: a, term: 1 });
  });

  it('counts its trust from the start of the claim, and of each renewal', async () => {
    store.delayMs = 300;
    await start(a);
    beatSplitters(bus, clock, [a]);
    await clock.advanceAsync(2_000);
    expect(heard.all[0]?.trustMs).toBe(2_700);
    await clock.advanceAsync(20_000);
    const trusts = heard.all.map((message) => message.trustMs);
    expect(Math.max(...trusts)).toBeLessThanOrEqual(2_700);
    expect(Math.min(...trusts)).toBeGreaterThan(1_000);
    expect(store.renewals).toBeGreaterThan(15);
  });

  it('announces every 250 ms, and nothing more 3 s after the store went away', async () => {
    await start(a);
    beatSplitters(bus, clock, [a]);
    await clock.advanceAsync(10_000);
    const before = heard.all.length;
    await clock.advanceAsync(10_000);
    expect(heard.all.length - before).toBe(40);
    store.away = true;
    await clock.advanceAsync(3_100);
    expect(heard.all.at(-1)).toMatchObject({ term: 1, resigned: true, trustMs: 0 });
    const silent = heard.all.length;
    await clock.advanceAsync(5_000);
    expect(heard.all).toHaveLength(silent);
    expect((await askLeader(a)).leader).toBeUndefined();
    expect(lines.filter((line) => line.includes('cannot be asked'))).toHaveLength(1);
    store.away = false;
    await clock.advanceAsync(5_000);
    expect(heard.all.at(-1)).toMatchObject({ leader: a, term: 2, resigned: false });
  });

  it('lets the other lead in the next term when it is stopped', async () => {
    const first = await start(b);
    beatSplitters(bus, clock, [a, b]);
    await clock.advanceAsync(2_000);
    await start(a);
    await clock.advanceAsync(2_000);
    expect(await askLeader(a)).toEqual({ leader: b, term: 1 });
    await first.close();
    expect(heard.all.at(-1)).toMatchObject({ leader: b, resigned: true });
    await clock.advanceAsync(500);
    expect(heard.all.at(-1)).toMatchObject({ leader: a, term: 2, resigned: false });
  });

  it('follows the priorities that are set, and what membership tells its own node', async () => {
    const env = { DAS_ELECTION_PRIORITY: 'node-a=5, node-b=1' };
    await start(a, env);
    await start(b, env);
    for (const by of [a, b]) {
      for (const node of [a, b]) {
        const facts = { services: [], labels: {}, address: '127.0.0.1:1' };
        const member = { node, state: 'alive', incarnation: 1, version: '1', sinceMs: 0, ...facts } as const;
        bus.tell(memberJoined, { by, member });
      }
    }
    beatSplitters(bus, clock, [a, b]);
    await clock.advanceAsync(2_000);
    expect(heard.all.at(-1)?.leader).toBe(a);
    expect(new Set(heard.all.map((message) => message.leader))).toEqual(new Set([a]));
  });

  it('asks no member that is none of our nodes', async () => {
    const asked: string[] = [];
    await bus.hear(electionCall, ({ to }) => asked.push(to));
    await start(a);
    const foreign = {
      node: nodeId('z'),
      state: 'alive' as const,
      incarnation: 1,
      sinceMs: 0,
      services: [],
      labels: {},
    };
    bus.tell(memberJoined, { by: a, member: { ...foreign, address: '127.0.0.1:1' } });
    beatSplitters(bus, clock, [a]);
    await clock.advanceAsync(2_000);
    expect([asked, heard.all.at(-1)?.leader]).toEqual([[], a]);
    bus.tell(memberJoined, { by: a, member: { ...foreign, address: '127.0.0.1:1', version: '1' } });
    store.away = true;
    await clock.advanceAsync(10_000);
    store.away = false;
    await clock.advanceAsync(5_000);
    expect(asked).toContain('z');
  });

  it('is not stirred by answers and beats meant for others', async () => {
    await start(a);
    bus.tell(electionOk, { from: b, to: nodeId('node-x'), round: 'r' });
    bus.tell(splitterBeat, { epoch: 'other' }, { node: b });
    await clock.advanceAsync(3_000);
    expect(heard.all).toEqual([]);
  });

  it('judges nobody while the bus is away', async () => {
    await start(a);
    beatSplitters(bus, clock, [a]);
    await clock.advanceAsync(2_000);
    hub.stop();
    await clock.advanceAsync(10_000);
    hub.start();
    const before = store.term;
    await clock.advanceAsync(900);
    expect(store.term).toBe(before);
    await clock.advanceAsync(2_000);
    expect(heard.all.at(-1)).toMatchObject({ leader: a, term: before + 1, resigned: false });
  });

  it('leaves no timer behind', async () => {
    const before = clock.pending;
    const one = await start(a);
    expect(clock.pending).toBeGreaterThan(before);
    await one.close();
    await clock.advanceAsync(60_000);
    expect(clock.pending).toBe(before);
    expect(heard.all).toEqual([]);
  });

  it.each([
    [{ DAS_ELECTION_PRIORITY: 'node-a' }, 'name=number'],
    [{ DAS_ELECTION_PRIORITY: 'a.b=1' }, 'name=number'],
    [{ DAS_ELECTION_TIMEOUT_MS: '10' }, '400'],
    [{ DAS_ELECTION: 'dice' }, 'bully'],
    [{ DAS_ELECTION: 'raft' }, 'raft needs its voters: name them'],
    [{ DAS_ELECTION: 'raft', DAS_ELECTION_VOTERS: 'node-a,node-b,node-a' }, 'node-a is named more than once'],
    [{ DAS_ELECTION_VOTERS: 'node.a' }, 'names of nodes with commas between'],
    [{ DAS_ELECTION_LEASE_MS: '1000' }, '3000'],
  ])('refuses settings that do not fit: %j', async (env, expected) => {
    const refusal = await start(a, env).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(ConfigError);
    expect((refusal as ConfigError).message).toContain(expected);
  });
});
