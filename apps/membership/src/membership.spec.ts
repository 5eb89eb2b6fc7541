import { memberPresence, nodeAttributes } from '@das/contracts';
import { type NodeId, nodeId } from '@das/kernel';
import { ConfigError } from '@das/platform';
import { FakeClock } from '@das/testing';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { membershipLimits } from './limits.js';
import { GossipWorld } from './testing/gossip-world.js';
import { version } from './version.js';

/** On virtual time: what is told, what is answered, and when. */
describe('the membership service', () => {
  const [a, b, c] = [nodeId('node-a'), nodeId('node-b'), nodeId('node-c')];
  let clock: FakeClock;
  let world: GossipWorld;

  beforeEach(async () => {
    clock = new FakeClock();
    world = await new GossipWorld(clock).begin();
  });
  afterEach(() => world.end());

  const together = async (...nodes: NodeId[]): Promise<void> => {
    for (const node of nodes) await world.start(node);
    for (const node of nodes) {
      await world.until(async () => Object.keys(await world.states(node)).length === nodes.length, 3_000);
    }
  };
  const all = (state: string) => ({ [a]: state, [b]: state, [c]: state });

  it('finds the others by itself, and tells each change once, as seen by itself', async () => {
    await together(a, b, c);
    await world.pass(10_000);
    expect(await world.states(b)).toEqual(all('alive'));
    expect(world.toldBy(a).sort()).toEqual([`joined ${a}`, `joined ${b}`, `joined ${c}`]);
    expect(world.lines.filter((line) => /cannot|refused|two/.test(line))).toEqual([]);
  });

  it('hears goodbye at once', async () => {
    await together(a, b, c);
    await world.stop(b);
    expect(await world.until(() => world.toldBy(a).includes(`left ${b}`), 100)).toBeLessThanOrEqual(100);
    await world.pass(20_000);
    expect(world.toldBy(a).filter((line) => line.endsWith(b))).toEqual([`joined ${b}`, `left ${b}`]);
    expect(await world.states(a)).toEqual({ ...all('alive'), [b]: 'left' });
  });

  it('takes a silent member for suspect, and soon for dead, each told once; and forgets it after ten minutes', async () => {
    await together(a, b, c);
    await world.cut(b);
    const suspectedMs = await world.until(() => world.toldBy(a).includes(`suspected ${b}`), 2_000);
    const deadMs = await world.until(() => world.toldBy(a).includes(`dead ${b}`), 3_000);
    expect(suspectedMs + deadMs).toBeLessThan(2_500);
    await world.pass(40_000);
    expect(world.toldBy(a).slice(3)).toEqual([`suspected ${b}`, `dead ${b}`]);
    expect((await world.states(a))[b]).toBe('dead');
    await world.stop(b);
    await clock.advanceAsync(membershipLimits.rememberMs);
    expect(await world.states(a)).toEqual({ [a]: 'alive', [c]: 'alive' });
  });

  it('holds nobody for dead who stood still for a moment', async () => {
    await together(a, b, c);
    await world.cut(b);
    await world.pass(700);
    await world.cut();
    await world.pass(10_000);
    expect(world.told.filter((line) => line.includes('dead'))).toEqual([]);
    expect(await world.states(a)).toEqual(all('alive'));
  });

  it('finds its members again after they were cut off, which gossip alone does not', async () => {
    await together(a, b, c);
    await world.cut(c);
    await world.pass(60_000);
    expect([await world.states(a), await world.states(c)]).toEqual([
      { ...all('alive'), [c]: 'dead' },
      { ...all('dead'), [c]: 'alive' },
    ]);
    await world.cut();
    await world.until(async () => (await world.states(a))[c] === 'alive', membershipLimits.presenceEveryMs + 2_000);
    await world.pass(2_000);
    for (const node of [a, b, c]) expect(await world.states(node)).toEqual(all('alive'));
  });

  it('declares nobody dead when the bus is away, and hears who comes and goes', async () => {
    await together(a, b, c);
    world.told.length = 0;
    world.hub.stop();
    await world.pass(30_000);
    world.hub.start();
    await world.pass(1_000);
    expect(world.told.filter((line) => !line.includes('updated'))).toEqual([]);
    expect(await world.states(a)).toEqual(all('alive'));
    expect((await world.stats(a)).members).toEqual({ alive: 3, suspect: 0, dead: 0, left: 0 });
  });

  it('has its place again after a restart, and is soon the same member', async () => {
    await together(a, b);
    const { address } = await world.stats(b);
    await world.stop(b);
    await world.start(b);
    expect((await world.stats(b)).address).toBe(address);
    await world.until(async () => (await world.states(a))[b] === 'alive', 1_000);
    expect(world.toldBy(a).filter((line) => line.endsWith(b))).toEqual([`joined ${b}`, `left ${b}`, `joined ${b}`]);
    expect(world.lines.filter((line) => line.includes('two '))).toEqual([]);
  });

  it('has its name again at another place, soon after it crashed, and is taken for no twin of itself', async () => {
    await together(a, b, c);
    await world.crash(b);
    await world.start(b, { DAS_GOSSIP_PORT: '45678' });
    const moved = async (): Promise<boolean> =>
      (await world.list(a)).some(
        ({ node, state, address }) => node === b && state === 'alive' && address.endsWith(':45678'),
      );
    await world.until(moved, membershipLimits.presenceEveryMs + 3_000);
    expect(world.lines.filter((line) => line.includes('two processes'))).toEqual([]);
    expect(world.lines).toContainEqual(expect.stringContaining('two nodes are called node-b'));
  });

  it("passes its own services' attributes on, and no other's", async () => {
    await world.start(a, { DAS_LABELS: 'zone=west' });
    await world.start(b);
    world.bus.tell(nodeAttributes, { service: 'job-splitter', rest: 'http://127.0.0.1:7' }, { node: a });
    world.bus.tell(nodeAttributes, { service: 'executor', slots: 4 }, { node: a });
    world.bus.tell(nodeAttributes, { service: 'executor', slots: 9 }, { node: b });
    await world.pass(3_000);
    const seen = (await world.list(b)).find(({ node }) => node === a);
    const startedAt = expect.any(Number) as number;
    const services = ['executor', 'job-splitter', 'membership'];
    const said = { rest: 'http://127.0.0.1:7', slots: 4, services, labels: { zone: 'west' }, version, startedAt };
    expect(seen).toMatchObject(said);
    expect((await world.list(b)).find(({ node }) => node === b)?.slots).toBe(9);
  });

  it('lets a service drop out of the list when it fell silent, not when the bus did', async () => {
    await together(a, b);
    const servicesOfA = async () => (await world.list(b)).find(({ node }) => node === a)?.services;
    world.bus.tell(nodeAttributes, { service: 'executor' }, { node: a });
    await world.pass(5_000);
    world.hub.stop();
    await world.pass(30_000);
    world.hub.start();
    await world.pass(1_000);
    expect(await servicesOfA()).toEqual(['executor', 'membership']);
    await world.pass(40_000);
    expect(await servicesOfA()).toEqual(['membership']);
  });

  it('tells new attributes at most once a second, however often they change', async () => {
    await together(a, b);
    await world.pass(2_000);
    world.told.length = 0;
    for (let slots = 1; slots <= 50; slots += 1) {
      world.bus.tell(nodeAttributes, { slots }, { node: a });
      await world.pass(100);
    }
    await world.pass(2_000);
    const updates = world.seen.filter(({ by, member }) => by === b && member.node === a && member.slots !== undefined);
    expect(updates.length).toBeLessThanOrEqual(7);
    expect(updates.at(-1)?.member.slots).toBe(50);
  });

  it('shows the round trip, and how its gossip is doing', async () => {
    await together(a, b);
    await world.pass(3_000);
    expect((await world.list(a)).find(({ node }) => node === b)?.rttMs).toBeLessThan(3);
    expect(await world.stats(a)).toMatchObject({ node: a, profile: 'cluster', encrypted: true, healthScore: 0 });
  });

  it('goes on looking for nodes that it does not know', async () => {
    await world.start(a);
    await world.pass(31_000);
    const own = world.presences.filter(({ node }) => node === a);
    expect(own.length).toBeGreaterThanOrEqual(5);
    world.bus.tell(memberPresence, {
      node: nodeId('nobody'),
      address: '127.0.0.1:9',
      startedAt: 1,
      label: '',
      edition: 0,
    });
    await world.pass(1_000);
    expect(world.lines).toContainEqual(expect.stringMatching(/node nobody is there but cannot be joined/));
    expect(await world.states(a)).toEqual({ [a]: 'alive' });
  });

  it('leaves no timer and no word behind', async () => {
    const before = clock.pending;
    await together(a, b);
    expect(clock.pending).toBeGreaterThan(before);
    await world.stop(a);
    await world.stop(b);
    await world.pass(6_000);
    expect(clock.pending).toBe(before);
    const { datagrams } = world.network.traffic;
    await world.pass(10_000);
    expect(world.network.traffic.datagrams).toBe(datagrams);
  });

  it.each([
    [{ DAS_GOSSIP_PROBE_INTERVAL_MS: '1' }, 'DAS_GOSSIP_PROBE_INTERVAL_MS'],
    [{ DAS_GOSSIP_PROBE_TIMEOUT_MS: '300' }, 'must be below the 200 ms of a whole probe'],
    [{ DAS_GOSSIP_PROBE_INTERVAL_MS: '150' }, 'expected at most probeIntervalMs, 150'],
    [{ DAS_GOSSIP_VERIFY_OUTGOING: 'false' }, 'this node would send what it refuses itself'],
    [{ DAS_GOSSIP_PROFILE: 'moon' }, 'DAS_GOSSIP_PROFILE'],
    [{ DAS_GOSSIP_SEEDS: 'a:1,/b' }, 'expected [name/]host[:port]'],
    [{ DAS_GOSSIP_CIDRS_ALLOWED: '10.0.0.0/99' }, '10.0.0.0/99'],
    [{ DAS_GOSSIP_LABEL: 'Größe' }, 'expected plain ASCII'],
    [{ DAS_LABELS: 'zone' }, 'is not k=v'],
    [{ DAS_GOSSIP_ADVERTISE: 'here' }, 'expected ip or ip:port'],
  ])('refuses settings that do not fit: %j', async (env, expected) => {
    const refusal = await world.start(a, env).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(ConfigError);
    expect((refusal as ConfigError).message).toContain(expected);
  });

  it('takes every number of the protocol from the environment', async () => {
    const slow = { DAS_GOSSIP_PROFILE: 'lan', DAS_GOSSIP_SUSPICION_MULT: '8' };
    await world.start(a, slow);
    await world.start(b, slow);
    await world.until(async () => (await world.states(a))[b] === 'alive', 3_000);
    await world.cut(b);
    // One probe of a second, then eight times that.
    expect(await world.until(() => world.toldBy(a).includes(`dead ${b}`), 20_000)).toBeGreaterThan(8_000);
  });

  it('tells the version of its package', () => {
    const text = readFileSync(join(__dirname, '..', 'package.json'), 'utf8');
    expect((JSON.parse(text) as { version: string }).version).toBe(version);
  });
});
