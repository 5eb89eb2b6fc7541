import { ringOf, wireOf } from '../golden.fixture.js';
import { clusterConfig, localConfig } from '../core/config.js';
import { Simulation } from './simulation.js';

const key = Uint8Array.from({ length: 16 }, (_, i) => i);

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

  it('leaves those who find a death in good health: the relays’ words arrive within the probe', () => {
    const simulation = new Simulation(19);
    simulation.network.faults = { latencyMs: 10 };
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    const nodes = simulation.cluster(names, { config: clusterConfig });
    const [victim, ...others] = nodes;
    victim?.kill();
    const scores = (): number[] => others.map(({ engine }) => engine.node.awareness.score);
    let worst = 0;
    for (let passed = 0; passed < 6_000; passed += 10) {
      simulation.time.advance(10);
      worst = Math.max(worst, ...scores());
    }
    expect(others.map((node) => node.stateOf('a'))).toEqual(others.map(() => 'dead'));
    expect(worst).toBe(0);
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
