import { memberPresence } from '@das/contracts';
import { nodeId } from '@das/kernel';
import { parseIp } from '@das/memberlist';
import { ServiceBusOver } from '@das/messaging';
import { FakeClock } from '@das/testing';
import { membershipLimits } from './limits.js';
import { Notes } from './notes.js';
import { Seeds } from './seeds.js';
import { GossipWorld } from './testing/gossip-world.js';

describe('finding each other', () => {
  const [a, b] = [nodeId('node-a'), nodeId('node-b')];
  let clock: FakeClock;
  let world: GossipWorld;

  beforeEach(async () => {
    clock = new FakeClock();
    world = await new GossipWorld(clock).begin();
  });
  afterEach(() => world.end());
  afterEach(() => jest.restoreAllMocks());

  it('does not even try nodes of another cluster on the same bus', async () => {
    await world.start(a);
    const elsewhere = { node: nodeId('elsewhere'), address: '127.0.0.1:9', startedAt: 1, edition: 9 };
    world.bus.tell(memberPresence, { ...elsewhere, label: 'other' });
    await world.pass(2_000);
    expect((await world.stats(a)).notes).toEqual({});
    world.bus.tell(memberPresence, { ...elsewhere, label: '' });
    await world.pass(3_000);
    expect((await world.stats(a)).notes['joinFailed']).toBe(1);
  });

  it('leaves nothing running when the bus does not let it begin', async () => {
    const before = clock.pending;
    const hear = jest.spyOn(ServiceBusOver.prototype, 'hear');
    hear.mockImplementation((announcement) =>
      announcement.name === memberPresence.name
        ? Promise.reject(new Error('no room for a subscription'))
        : Promise.resolve(() => undefined),
    );
    await expect(world.start(a, { DAS_GOSSIP_PORT: '45001' })).rejects.toThrow('no room');
    await world.pass(6_000);
    expect(clock.pending).toBe(before);
    const { datagrams } = world.network.traffic;
    await world.pass(6_000);
    expect(world.network.traffic.datagrams).toBe(datagrams);
    jest.restoreAllMocks();
    await world.start(b, { DAS_GOSSIP_PORT: '45001' });
  });
});

describe('seeds', () => {
  const at = (address: string) => {
    const [ip = '', port] = address.split(':');
    return { name: address, addr: parseIp(ip)!, port: Number(port) };
  };
  let clock: FakeClock;
  let present: string[];
  let joins: string[];
  let seeds: Seeds;

  const start = async (...texts: string[]): Promise<void> => {
    const names: Record<string, readonly string[]> = { 'pods.example': ['10.0.0.1', '10.0.0.2'] };
    const list = {
      get members() {
        return ['10.0.0.9:7946', ...present].map(at);
      },
      join: async ([address = '']: readonly string[]) => joins.push(address),
    };
    const gossip = {
      list,
      get others() {
        return present.map(at);
      },
    };
    const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
    const resolver = { resolve: async (host: string) => (names[host] ?? []).map((ip) => parseIp(ip)!) };
    const tools = { clock, notes: new Notes(silent, clock), resolver, port: 7_946 };
    seeds = new Seeds(texts, gossip as unknown as ConstructorParameters<typeof Seeds>[1], tools);
    seeds.start();
    await clock.advanceAsync(0);
  };
  beforeEach(() => ([clock, present, joins] = [new FakeClock(), [], []]));
  afterEach(() => {
    seeds.stop();
    expect(clock.pending).toBe(0);
  });

  it('are tried while no present member is at their address, although others are there: every 30 s', async () => {
    present = ['10.0.0.1:7946'];
    await start('10.0.0.7', '10.0.0.1:7946', '10.0.0.9');
    expect(joins).toEqual(['10.0.0.7:7946']);
    await clock.advanceAsync(membershipLimits.seedPauseMaxMs - 1_000);
    expect(joins).toHaveLength(1);
    await clock.advanceAsync(1_000);
    expect(joins).toHaveLength(2);
    present.push('10.0.0.7:7946');
    await clock.advanceAsync(120_000);
    expect(joins).toHaveLength(2);
  });

  it('are looked up: each address of a name that is not present is tried', async () => {
    present = ['10.0.0.2:7000'];
    await start('x/pods.example:7000', 'nobody.example');
    expect(joins).toEqual(['x/10.0.0.1:7000']);
  });

  it('are tried again soon when all others are gone, with growing pauses', async () => {
    present = ['10.0.0.7:7946'];
    await start('10.0.0.7');
    await clock.advanceAsync(10_500);
    expect(joins).toEqual([]);
    present = [];
    await clock.advanceAsync(1_000);
    expect(joins).toHaveLength(1);
    await clock.advanceAsync(60_000);
    expect(joins.length).toBeLessThan(9);
  });
});
