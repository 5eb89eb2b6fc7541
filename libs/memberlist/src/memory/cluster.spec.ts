import { BroadcastQueue } from '../core/broadcast-queue.js';
import { ascii, ringOf, wireOf } from '../golden.fixture.js';
import { localConfig } from '../core/config.js';
import { type SimulatedNode, Simulation } from './simulation.js';

const key = Uint8Array.from({ length: 16 }, (_, i) => i);
const otherKey = Uint8Array.from({ length: 16 }, (_, i) => 255 - i);
const alone = [['me'], ['you']];

function pair(options: Parameters<Simulation['add']>[1], other = options): [Simulation, SimulatedNode, SimulatedNode] {
  const simulation = new Simulation(11);
  return [simulation, simulation.add('me', options), simulation.add('you', other)];
}

describe('join', () => {
  it.each([
    ['plain', {}],
    ['labelled', { label: ascii('blue') }],
    ['encrypted', { ...wireOf({ keyring: ringOf(key) }) }],
    [
      'encrypted, labelled and compressed',
      { ...wireOf({ keyring: ringOf(key), label: ascii('blue'), compression: true }) },
    ],
    ['encrypted for protocol 1', { ...wireOf({ keyring: ringOf(key), encryptionVersion: 0 as const }) }],
  ])('makes one cluster of two: %s', (_, wire) => {
    const [simulation, me, you] = pair({ wire, config: { probeIntervalMs: 200, probeTimeoutMs: 100 } });
    expect(me.join(you)).toBeUndefined();
    simulation.time.advance(5_000);
    expect([me.present, you.present]).toEqual([
      ['me', 'you'],
      ['me', 'you'],
    ]);
    expect([me.noted('probeFailed'), you.noted('probeFailed'), me.notes]).toEqual([[], [], []]);
  });

  it.each([
    ['another label', { label: ascii('blue') }, { label: ascii('red') }, 'wire.label'],
    ['no label', { label: ascii('blue') }, {}, 'wire.label'],
    [
      'another key',
      { ...wireOf({ keyring: ringOf(key) }) },
      { ...wireOf({ keyring: ringOf(otherKey) }) },
      'wire.decrypt',
    ],
    ['no key', { ...wireOf({ keyring: ringOf(key) }) }, {}, 'wire.plaintext'],
  ])('fails with %s, leaves both tables alone and notes why', (_, mine, theirs, code) => {
    const [, me, you] = pair({ wire: mine }, { wire: theirs });
    expect(you.join(me)).toBeDefined();
    expect([me.present, you.present]).toEqual(alone);
    expect(me.notes.map((note) => note.code)).toContain(code);
  });

  it('fails within the stream timeout when the other is silent', () => {
    const [simulation, me, you] = pair({ config: localConfig });
    you.clock.pause();
    expect(me.join(you)).toBe('timed out');
    expect(simulation.time.now).toBeLessThan(1_100);
  });

  it('is cancelled on the side whose delegate refuses the merge', () => {
    const [, me, you] = pair({ hooks: { mergeProblem: () => 'not with you' } });
    expect(me.join(you)).toBe('not with you');
    expect([me.present, you.present]).toEqual(alone);
    expect(you.noted('mergeRefused')).toHaveLength(1);
  });

  it('succeeds and joins nobody when the alive delegates refuse', () => {
    const hooksOf = (name: string): object => ({
      aliveProblem: (member: { name: string }) => (member.name === name ? undefined : 'no'),
    });
    const [, me, you] = pair({ hooks: hooksOf('me') }, { hooks: hooksOf('you') });
    expect(me.join(you)).toBeUndefined();
    expect([me.present, you.present]).toEqual(alone);
  });

  it.each([
    [2, 1],
    [2, 3],
    [3, 2],
    [3, 1],
    [2, 5],
  ])('works between protocol %i and %i', (mine, theirs) => {
    const [simulation, me, you] = pair({ config: { protocolVersion: mine } }, { config: { protocolVersion: theirs } });
    expect(me.join(you)).toBeUndefined();
    simulation.time.advance(3_000);
    expect([me.present, you.present]).toEqual([
      ['me', 'you'],
      ['me', 'you'],
    ]);
  });

  it('shuts out a rogue of another network, who sees the others all the same', () => {
    const simulation = new Simulation(12);
    const config = { cidrsAllowed: ['10.0.0.0/16'] };
    const me = simulation.add('me', { config });
    const rogue = simulation.add('rogue', { address: { addr: Uint8Array.of(10, 9, 9, 9), port: 7946 } });
    rogue.join(me);
    expect([me.present, rogue.present]).toEqual([['me'], ['me', 'rogue']]);
    expect(me.noted('addressRefused').length).toBeGreaterThan(0);
  });
});

describe('an encryption upgrade', () => {
  it('goes from plain to keyed in three rolling steps and loses nobody', () => {
    const simulation = new Simulation(13);
    const faster = { probeIntervalMs: 100, probeTimeoutMs: 50, gossipIntervalMs: 20 };
    const start = (name: string, seed: SimulatedNode | undefined, wire: object): SimulatedNode => {
      const node = simulation.add(name, { config: faster, wire });
      if (seed !== undefined) expect(node.join(seed)).toBeUndefined();
      simulation.time.advance(1_000);
      return node;
    };
    const keyed = (verifyOutgoing: boolean, verifyIncoming: boolean): object => ({
      ...wireOf({ keyring: ringOf(key), verifyIncoming, verifyOutgoing }),
    });
    const plain = start('plain', undefined, {});
    const off = start('off', plain, keyed(false, false));
    expect(plain.present).toEqual(['off', 'plain']);
    plain.kill();
    const outgoing = start('outgoing', off, keyed(true, false));
    const both = start('both', outgoing, keyed(true, false));
    off.kill();
    const strict = start('strict', both, keyed(true, true));
    simulation.time.advance(3_000);
    for (const node of [outgoing, both, strict]) expect(node.present).toEqual(['both', 'outgoing', 'strict']);
  });
});

describe('delegates', () => {
  it('see 256 user broadcasts and both user states', () => {
    const queue = new BroadcastQueue(() => 3);
    const sent = Array.from({ length: 256 }, (_, i) => `broadcast ${i}`);
    for (const message of sent) queue.add({ message: ascii(message) });
    const [simulation, me, you] = pair(
      { hooks: { userBroadcasts: (overhead, limit) => queue.take(overhead, limit), localState: () => ascii('of me') } },
      { hooks: { localState: (join) => ascii(join ? 'of you' : 'again') } },
    );
    expect(me.join(you)).toBeUndefined();
    simulation.time.advance(10_000);
    const received = new Set(you.messages.map((bytes) => String.fromCharCode(...bytes)));
    expect([...received].sort()).toEqual([...sent].sort());
    expect(me.remoteStates[0]).toEqual(ascii('of you'));
    expect(you.remoteStates[0]).toEqual(ascii('of me'));
  });

  it('get the payload and the round trip of probes', () => {
    const [simulation, me, you] = pair({ hooks: { ackPayload: () => ascii('whatever') } });
    me.join(you);
    simulation.time.advance(2_500);
    expect(me.probed.length).toBeGreaterThan(0);
    expect(me.probed[0]).toMatchObject({ name: 'you', payload: ascii('whatever') });
    expect(me.probed[0]?.rttMs).toBeLessThan(3);
  });

  it('hear of new attributes and of a name used twice', () => {
    const simulation = new Simulation(14);
    const [a, b] = simulation.cluster(['a', 'b']);
    const twin = simulation.add('b');
    if (a === undefined || b === undefined) throw new Error('two nodes');
    let done = false;
    b.engine.update(ascii('new'), () => (done = true));
    expect(simulation.time.advanceUntil(() => done, 10_000)).toBe(true);
    expect(a.engine.node.table.get('b')?.meta).toEqual(ascii('new'));
    twin.join(a);
    expect(a.conflicts.map(({ name }) => name)).toContain('b');
    expect(a.engine.node.table.get('b')?.addr).toEqual(b.address.addr);
  });

  it('get user messages over streams of any size', () => {
    const [simulation, me, you] = pair({});
    const large = Uint8Array.from({ length: 300_000 }, (_, i) => i * 7);
    const ends: (string | undefined)[] = [];
    me.engine.sendStream(you.address, large, (problem) => ends.push(problem));
    me.engine.sendPacket(you.address, ascii('small'));
    simulation.time.advance(1_000);
    expect(ends).toEqual([undefined]);
    expect(you.messages.map(({ length }) => length).sort((x, y) => x - y)).toEqual([5, 300_000]);
  });
});

describe('the failure detector', () => {
  it('keeps a node whose datagrams are lost, by streams, and says so', () => {
    const simulation = new Simulation(15);
    const [a, b] = simulation.cluster(['a', 'b']);
    simulation.network.faults = { datagramsBlocked: () => true };
    simulation.time.advance(30_000);
    expect([a?.stateOf('b'), b?.stateOf('a')]).toEqual(['alive', 'alive']);
    expect(a?.noted('udpBroken').length).toBeGreaterThan(5);
    b?.kill();
    simulation.time.advance(10_000);
    expect(a?.stateOf('b')).toBe('dead');
  });

  it.each([
    ['streams are disabled', { disableTcpPings: true }],
    ['the member speaks no protocol with stream pings', {}],
  ])('declares it dead when %s', (reason, config) => {
    const simulation = new Simulation(16);
    const [a] = simulation.cluster(['a', 'b'], { config: { ...config, pushPullIntervalMs: 0 } });
    const old = a?.engine.node.table.get('b');
    if (a === undefined || old === undefined) throw new Error('two nodes');
    if (reason.startsWith('the member')) a.engine.node.table.update({ ...old, vsn: Uint8Array.of(1, 2, 2, 0, 0, 0) });
    simulation.network.faults = { datagramsBlocked: () => true };
    simulation.time.advance(10_000);
    expect(a.stateOf('b')).toBe('dead');
  });

  it('asks others, so that one broken path accuses nobody', () => {
    const simulation = new Simulation(17);
    const nodes = simulation.cluster(['a', 'b', 'c', 'd'], { config: { disableTcpPings: true } });
    const broken = [nodes[0]?.address.addr[3], nodes[1]?.address.addr[3]];
    simulation.network.faults = {
      datagramsBlocked: (from, to) => broken.includes(from.addr[3]) && broken.includes(to.addr[3]),
    };
    simulation.time.advance(60_000);
    for (const node of nodes) expect(node.present).toEqual(['a', 'b', 'c', 'd']);
    expect(simulation.transcript).not.toMatch(/suspect/);
  });

  it('raises its own score when nobody hears it, and probes more slowly', () => {
    const simulation = new Simulation(18);
    const [a] = simulation.cluster(['a', 'b', 'c', 'd', 'e']);
    if (a === undefined) throw new Error('five nodes');
    simulation.partition([a]);
    simulation.time.advance(10_000);
    // Its relays cannot nack either: two missing nacks and more at each probe.
    expect(a.engine.node.awareness.score).toBeGreaterThan(2);
  });

  it('does not accuse others after its own pause, and returns to health', () => {
    const simulation = new Simulation(19);
    const nodes = simulation.cluster(['a', 'b', 'c']);
    const [a] = nodes;
    a?.clock.pause();
    simulation.time.advance(3_000);
    a?.clock.resume();
    expect(a?.noted('paused')).toHaveLength(1);
    expect(a?.engine.node.awareness.score).toBeGreaterThan(0);
    simulation.time.advance(20_000);
    expect(a?.engine.node.awareness.score).toBe(0);
    expect(simulation.transcript).not.toMatch(/a: [bc] (suspect|leave)/);
    for (const node of nodes) expect(node.present).toEqual(['a', 'b', 'c']);
  });

  it('finds a killed node in a probe, a second and the shortest suspicion: LAN, three nodes', () => {
    const times = Array.from({ length: 40 }, (_, seed) => detection(seed, {}));
    times.sort((x, y) => x - y);
    // The original, measured on loopback: median 5.41 s of 20, from 5.02 to 6.90. Ours has to be within 15 %.
    expect(times[0]).toBeGreaterThan(5_000);
    expect(times[20]).toBeLessThan(5_410 * 1.15);
    expect(times[39]).toBeLessThan(8_500);
  });

  it('needs the confirmation of the other survivor with Local times', () => {
    const times = Array.from({ length: 40 }, (_, seed) => detection(seed, localConfig));
    times.sort((x, y) => x - y);
    // The original, measured on loopback: median 4.64 s of 20, from 4.00 to 5.58. Ours has to be within 15 %.
    expect(times[0]).toBeGreaterThan(4_000);
    expect(times[20]).toBeLessThan(4_640 * 1.15);
  });

  /** From the kill to the first survivor's `leave`, ms. */
  function detection(seed: number, config: object): number {
    const simulation = new Simulation(seed * 7 + 1);
    const [a, b, c] = simulation.cluster(['a', 'b', 'c'], { config });
    simulation.time.advance(3_000 + seed * 37);
    const killed = simulation.time.now;
    c?.kill();
    const found = (): boolean => [a, b].some((node) => node?.stateOf('c') === 'dead');
    expect(simulation.time.advanceUntil(found, 30_000, 1)).toBe(true);
    return simulation.time.now - killed;
  }
});

describe('a large cluster', () => {
  it('of 16 encrypted nodes with gossip each 20 ms knows itself within 250 ms', () => {
    const simulation = new Simulation(20);
    const config = { gossipIntervalMs: 20, probeIntervalMs: 100, probeTimeoutMs: 50 };
    const wire = wireOf({ keyring: ringOf(key) });
    const nodes = Array.from({ length: 16 }, (_, i) => simulation.add(`n${i}`, { config, wire }));
    for (const node of nodes.slice(1)) if (nodes[0] !== undefined) node.join(nodes[0]);
    const began = simulation.time.now;
    expect(simulation.time.advanceUntil(() => nodes.every((node) => node.present.length === 16), 5_000)).toBe(true);
    expect(simulation.time.now - began).toBeLessThan(250);
  });

  it('stays whole for two minutes while a tenth of the datagrams is lost and some are doubled or corrupt', () => {
    const simulation = new Simulation(21);
    const nodes = simulation.cluster(Array.from({ length: 12 }, (_, i) => `n${i}`));
    simulation.network.faults = { loss: 0.1, duplicates: 0.02, corruption: 0.01, latencyMs: 20 };
    simulation.time.advance(120_000);
    expect(simulation.transcript).not.toMatch(/leave/);
    for (const node of nodes) expect(node.present).toHaveLength(12);
  });

  it('runs the same twice from the same seed', () => {
    const run = (): string => {
      const simulation = new Simulation(22);
      const nodes = simulation.cluster(['a', 'b', 'c', 'd', 'e', 'f', 'g']);
      simulation.network.faults = { loss: 0.2, latencyMs: 50 };
      nodes[3]?.kill();
      simulation.time.advance(20_000);
      return simulation.transcript;
    };
    expect(run()).toBe(run());
  });
});
