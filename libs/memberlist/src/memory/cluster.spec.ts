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

  it('is cancelled on both sides when both refuse the merge', () => {
    const [simulation, me, you] = pair({ hooks: { mergeProblem: () => 'not with you' } });
    expect(me.join(you)).toBe('not with you');
    simulation.time.advance(1_000);
    expect([me.present, you.present]).toEqual(alone);
    expect([me, you].map((node) => node.noted('mergeRefused').length)).toEqual([1, 1]);
  });

  it('of one who refuses its own network leaves it without itself', () => {
    const simulation = new Simulation(12);
    const denied = simulation.add('denied', { config: { cidrsAllowed: ['192.168.0.0/16'] } });
    const other = simulation.add('other');
    expect(denied.present).toEqual([]);
    expect(denied.join(other)).toBeUndefined();
    expect([denied.present, other.present]).toEqual([[], ['other']]);
    expect(denied.noted('addressRefused').length).toBeGreaterThan(1);
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
