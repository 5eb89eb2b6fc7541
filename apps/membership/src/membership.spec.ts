import { type BodyOf, listMembers, memberBeat, memberChanged, nodeAttributes } from '@das/contracts';
import { type NodeId, nodeId } from '@das/kernel';
import { MemoryEventLog, MemoryHub, ServiceBusOver } from '@das/messaging';
import { ConfigError, type Logger, type RunningService, startService } from '@das/platform';
import { FakeClock } from '@das/testing';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { service } from './service.js';
import { version } from './version.js';

/** On virtual time: what is told, what is answered, and when. */
describe('the membership service', () => {
  const [a, b] = [nodeId('node-a'), nodeId('node-b')];
  let clock: FakeClock;
  let hub: MemoryHub;
  let bus: ServiceBusOver;
  let lines: string[];
  let beats: BodyOf<typeof memberBeat>[];
  let told: BodyOf<typeof memberChanged>[];
  const running: RunningService[] = [];

  const write = (_fields: unknown, message: string): void => void lines.push(message);
  const log: Logger = { debug: write, info: write, warn: write, error: write };
  let ids = 0;

  async function start(node: NodeId, env: Record<string, string> = {}): Promise<RunningService> {
    const transport = { bus: hub.connect(), events: new MemoryEventLog() };
    const started = await startService(service, { DAS_NODE: node, ...env }, { transport, clock, log });
    running.push(started);
    return started;
  }

  beforeEach(async () => {
    clock = new FakeClock();
    hub = new MemoryHub(clock);
    [lines, beats, told] = [[], [], []];
    const identity = { node: nodeId('stand-in'), service: 'test' };
    bus = new ServiceBusOver(hub.connect(), identity, clock, () => `id-${(ids += 1)}`);
    await bus.hear(memberBeat, (beat) => beats.push(beat));
    await bus.hear(memberChanged, (change) => told.push(change));
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((service) => service.close()));
    await bus.close();
  });

  const list = async (node: NodeId) => (await bus.call(listMembers, {}, { node })).body.members;
  const statesBy = async (node: NodeId) => Object.fromEntries((await list(node)).map((m) => [m.node, m.state]));
  const toldBy = (node: NodeId) =>
    told.filter(({ by }) => by === node).map(({ member }) => `${member.node} ${member.state}`);

  it('speaks at once and every second, and knows itself', async () => {
    await start(a);
    await clock.advanceAsync(0);
    expect(beats).toHaveLength(1);
    await clock.advanceAsync(3_000);
    expect(beats).toHaveLength(4);
    expect(new Set(beats.map((beat) => beat.incarnation)).size).toBe(1);
    expect(await statesBy(a)).toEqual({ [a]: 'alive' });
  });

  it('tells each change once, as seen by itself', async () => {
    await start(a);
    await start(b);
    await clock.advanceAsync(10_000);
    expect(toldBy(a)).toEqual([`${a} alive`, `${b} alive`]);
    expect(await statesBy(b)).toEqual({ [a]: 'alive', [b]: 'alive' });
  });

  it('hears goodbye at once, and silence after the set time', async () => {
    await start(a, { DAS_MEMBER_SUSPECT_MS: '1500', DAS_MEMBER_DEAD_MS: '2000' });
    const other = await start(b);
    await clock.advanceAsync(1_000);
    await other.close();
    expect(toldBy(a).at(-1)).toBe(`${b} left`);
    bus.tell(memberBeat, { node: nodeId('node-c'), incarnation: 1, version: '1', leaving: false });
    await clock.advanceAsync(1_750);
    expect((await statesBy(a))['node-c']).toBe('suspect');
    await clock.advanceAsync(500);
    expect((await statesBy(a))['node-c']).toBe('dead');
  });

  it("passes its own node's attributes on, and no other's", async () => {
    await start(a);
    bus.tell(nodeAttributes, { node: a, rest: 'http://127.0.0.1:7' });
    bus.tell(nodeAttributes, { node: a, slots: 4 });
    bus.tell(nodeAttributes, { node: b, slots: 9 });
    await clock.advanceAsync(100);
    expect(beats.at(-1)).toMatchObject({ node: a, rest: 'http://127.0.0.1:7', slots: 4 });
    const sent = beats.length;
    bus.tell(nodeAttributes, { node: a, slots: 4 });
    await clock.advanceAsync(100);
    expect(beats).toHaveLength(sent);
    expect(await list(a)).toEqual([expect.objectContaining({ rest: 'http://127.0.0.1:7', slots: 4 })]);
  });

  it('declares nobody dead when the bus was away', async () => {
    await start(a);
    await start(b);
    await clock.advanceAsync(2_000);
    hub.stop();
    await clock.advanceAsync(30_000);
    hub.start();
    await clock.advanceAsync(10_000);
    expect(toldBy(a)).toEqual([`${a} alive`, `${b} alive`]);
  });

  it('warns of a second process with its name', async () => {
    await start(a);
    bus.tell(memberBeat, { node: a, incarnation: clock.now() + 1, version: '1', leaving: false });
    await clock.advanceAsync(100);
    expect(lines).toContainEqual(expect.stringContaining('two processes run as node node-a'));
  });

  it('leaves no timer behind', async () => {
    const before = clock.pending;
    const one = await start(a);
    expect(clock.pending).toBeGreaterThan(before);
    await one.close();
    await clock.advanceAsync(10_000);
    expect(clock.pending).toBe(before);
    expect(beats.filter((beat) => beat.leaving)).toHaveLength(1);
  });

  it.each([
    [{ DAS_MEMBER_SUSPECT_MS: '100' }, '1500'],
    [{ DAS_MEMBER_DEAD_MS: 'soon' }, 'DAS_MEMBER_DEAD_MS'],
    [{ DAS_MEMBER_SUSPECT_MS: '9000' }, 'must be below DAS_MEMBER_DEAD_MS'],
  ])('refuses settings that do not fit: %j', async (env, expected) => {
    const refusal = await start(a, env).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(ConfigError);
    expect((refusal as ConfigError).message).toContain(expected);
  });

  it('tells the version of its package', () => {
    const text = readFileSync(join(__dirname, '..', 'package.json'), 'utf8');
    expect((JSON.parse(text) as { version: string }).version).toBe(version);
  });
});
