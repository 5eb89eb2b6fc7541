import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Simulation } from './simulation.js';

const folder = join(__dirname, '../../testdata/transcripts');

/** Compares with the file of that name. `UPDATE_TRANSCRIPTS=1` writes it anew, to be reviewed as code. */
function expectGolden(name: string, simulation: Simulation): void {
  const file = join(folder, `${name}.txt`);
  if (process.env['UPDATE_TRANSCRIPTS'] === '1') {
    mkdirSync(folder, { recursive: true });
    writeFileSync(file, simulation.transcript);
  }
  expect(existsSync(file)).toBe(true);
  expect(simulation.transcript).toBe(readFileSync(file, 'utf8'));
}

describe('golden transcripts', () => {
  it('join of three', () => {
    const simulation = new Simulation(1);
    const [a, b, c] = ['a', 'b', 'c'].map((name) => simulation.add(name));
    if (a === undefined || b === undefined || c === undefined) throw new Error('three nodes');
    expect(b.join(a)).toBeUndefined();
    expect(c.join(b)).toBeUndefined();
    simulation.time.advance(2_000);
    for (const node of simulation.nodes) expect(node.present).toEqual(['a', 'b', 'c']);
    expectGolden('join', simulation);
  });

  it('failure with suspicion and confirmation', () => {
    const simulation = new Simulation(2);
    const nodes = simulation.cluster(['a', 'b', 'c', 'd', 'e']);
    nodes[4]?.kill();
    simulation.time.advance(30_000);
    for (const node of nodes.slice(0, 4)) expect(node.stateOf('e')).toBe('dead');
    // Two confirmations of two: the suspicion lasts its minimum of 4 s and not the 24 s of an unconfirmed one.
    expect(simulation.transcript).toMatch(/e leave \(dead, incarnation 1\)/);
    expectGolden('failure', simulation);
  });

  it('refutation', () => {
    const simulation = new Simulation(3);
    const nodes = simulation.cluster(['a', 'b', 'c', 'd']);
    const [, b] = nodes;
    simulation.log('b is stopped');
    b?.clock.pause();
    const suspected = simulation.time.advanceUntil(() => nodes[0]?.stateOf('b') === 'suspect', 20_000);
    expect(suspected).toBe(true);
    simulation.log('b goes on');
    b?.clock.resume();
    simulation.time.advance(10_000);
    for (const node of nodes) expect(node.stateOf('b')).toBe('alive');
    expect(simulation.transcript).not.toMatch(/b leave/);
    expectGolden('refutation', simulation);
  });

  it('leave', () => {
    const simulation = new Simulation(4);
    const nodes = simulation.cluster(['a', 'b', 'c']);
    let left = false;
    nodes[2]?.engine.leave((problem) => {
      left = problem === undefined;
      simulation.log('c has told everyone that it leaves');
    });
    simulation.time.advance(5_000);
    expect(left).toBe(true);
    for (const node of nodes) expect(node.stateOf('c')).toBe('left');
    expectGolden('leave', simulation);
  });

  it('partition and heal', () => {
    const simulation = new Simulation(5);
    const nodes = simulation.cluster(['a', 'b', 'c', 'd', 'e', 'f']);
    simulation.partition(nodes.slice(0, 2));
    simulation.time.advance(45_000);
    expect(nodes[0]?.present).toEqual(['a', 'b']);
    expect(nodes[3]?.present).toEqual(['c', 'd', 'e', 'f']);
    simulation.heal();
    // Neither side probes its dead any more: as with the original, somebody has to join again. One is enough for all:
    // whoever still holds another for dead says so in its next push/pull, and is refuted.
    simulation.time.advance(1_000);
    simulation.log('a joins c again');
    expect(nodes[2] === undefined ? 'no c' : nodes[0]?.join(nodes[2])).toBeUndefined();
    simulation.time.advance(60_000);
    for (const node of nodes) expect(node.present).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
    expectGolden('partition', simulation);
  });
});
