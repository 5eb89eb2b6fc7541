import { Awareness } from './awareness.js';
import { lanConfig, localConfig, wanConfig } from './config.js';
import { MemberTable } from './member-table.js';
import { pickRandom, randomOffset, seededRng, shuffle } from './random.js';
import { Suspicion } from './suspicion.js';
import { Timers } from './timers.js';
import { pushPullScale, remainingSuspicion, retransmitLimit, suspicionTimeout } from './timing.js';
import type { Member } from './types.js';
import { golden } from '../golden.fixture.js';

describe('awareness', () => {
  it('keeps its score between healthy and its bound, and stretches timeouts by it', () => {
    const steps = [
      [0, 0],
      [-1, 0],
      [-10, 0],
      [1, 1],
      [-1, 0],
      [10, 7],
      [-1, 6],
      [-1, 5],
      [-1, 4],
      [-1, 3],
      [-1, 2],
      [-1, 1],
      [-1, 0],
      [-1, 0],
    ] as const;
    const awareness = new Awareness(8);
    for (const [delta, score] of steps) {
      awareness.apply(delta);
      expect([awareness.score, awareness.scale(1_000)]).toEqual([score, (score + 1) * 1_000]);
    }
  });
});

describe('formulas', () => {
  it.each(golden.formulas.byClusterSize.map((row) => [row.n, row] as const))(
    'are the original ones for n = %i',
    (n, row) => {
      expect(suspicionTimeout(lanConfig.suspicionMult, n, lanConfig.probeIntervalMs)).toBeCloseTo(row.lanMs, 6);
      expect(suspicionTimeout(localConfig.suspicionMult, n, localConfig.probeIntervalMs)).toBeCloseTo(row.localMs, 6);
      expect(suspicionTimeout(wanConfig.suspicionMult, n, wanConfig.probeIntervalMs)).toBeCloseTo(row.wanMs, 6);
      expect(pushPullScale(30_000, n)).toBe(row.pushPull30);
      expect([retransmitLimit(2, n), retransmitLimit(4, n)]).toEqual([row.retransmit2, row.retransmit4]);
    },
  );

  it.each(golden.formulas.suspicion.map((row) => [row.n, row.k, row] as const))(
    'leave a suspicion with %i of %i confirmations its time',
    (n, k, row) => expect(remainingSuspicion(n, k, 0, row.minMs, row.maxMs)).toBe(row.remainingMs),
  );

  it('take off what has passed, and go below zero', () => {
    const table = [
      [0, 3, 0, 30_000],
      [1, 3, 2_000, 14_000],
      [2, 3, 3_000, 4_810],
      [3, 3, 4_000, -2_000],
      [4, 3, 5_000, -3_000],
      [5, 3, 10_000, -8_000],
    ] as const;
    for (const [n, k, elapsed, left] of table) {
      expect(Math.abs(remainingSuspicion(n, k, elapsed, 2_000, 30_000) - left)).toBeLessThanOrEqual(1);
    }
  });

  it('double the push/pull interval at every doubling beyond 32', () => {
    for (const [from, to, times] of [
      [0, 32, 1],
      [33, 64, 2],
      [65, 128, 3],
    ] as const) {
      for (let n = from; n <= to; n++) expect(pushPullScale(1_000, n)).toBe(times * 1_000);
    }
    expect([0, 1, 99].map((n) => retransmitLimit(3, n))).toEqual([0, 3, 6]);
  });
});

describe('a suspicion', () => {
  const terms = { from: 'me', k: 3, minMs: 500, maxMs: 2_000, startedAt: 0 };
  it.each([
    [[], 2_000],
    [['me'], 2_000],
    [['b'], 1_250],
    [['b', 'me', 'b'], 1_250],
    [['b', 'c'], 810],
    [['b', 'c', 'd'], 500],
    [['b', 'c', 'd', 'e'], 500],
  ])('confirmed by %j ends after %i ms', (accusers, ms) => {
    const suspicion = new Suspicion(terms);
    for (const accuser of accusers) suspicion.confirm(accuser);
    expect(Math.abs(suspicion.deadline - ms)).toBeLessThanOrEqual(2);
  });

  it('that nobody can confirm takes its minimum and refuses confirmations', () => {
    const suspicion = new Suspicion({ ...terms, k: 0 });
    expect([suspicion.deadline, suspicion.confirm('b')]).toEqual([500, false]);
  });

  it('counts its accuser and its confirmers once', () => {
    const suspicion = new Suspicion(terms);
    expect(['me', 'b', 'b', 'c', 'd', 'e'].map((from) => suspicion.confirm(from))).toEqual([
      false,
      true,
      false,
      true,
      true,
      false,
    ]);
  });
});

describe('chance', () => {
  it('draws offsets in range and differing', () => {
    const rng = seededRng(1);
    const drawn = new Set(Array.from({ length: 100 }, () => randomOffset(2 ** 30, rng)));
    expect(drawn.size).toBe(100);
    expect(randomOffset(0, rng)).toBe(0);
  });

  it('shuffles all items into another order', () => {
    const items = Array.from({ length: 10 }, (_, i) => i);
    shuffle(items, seededRng(2));
    expect(items).not.toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect([...items].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it.each([5, 90])('picks different items that pass, and other ones each time, of %i', (n) => {
    const rng = seededRng(3);
    const items = Array.from({ length: n }, (_, i) => i);
    const picks = [1, 2, 3].map(() => pickRandom(items, 3, rng, (i) => i % 2 === 0));
    for (const pick of picks) {
      expect(new Set(pick).size).toBe(3);
      expect(pick.every((i) => i % 2 === 0)).toBe(true);
    }
    if (n > 9) expect(new Set(picks.map((pick) => pick.join())).size).toBe(3);
  });

  it('finds the only one that passes in a short list', () => {
    for (let seed = 0; seed < 50; seed++)
      expect(pickRandom([1, 2, 3, 4], 2, seededRng(seed), (i) => i === 3)).toEqual([3]);
  });
});

describe('the member table', () => {
  const member = (name: string, state: Member['state'], stateChange: number): Member => ({
    ...{ name, state, stateChange, incarnation: 1, port: 1 },
    ...{ addr: Uint8Array.of(1, 1, 1, 1), meta: new Uint8Array(0), vsn: new Uint8Array(6) },
  });

  it('forgets those dead or left for longer than it keeps them, and finds all others still', () => {
    const table = new MemberTable();
    const rng = seededRng(4);
    const states = ['alive', 'suspect', 'dead', 'left'] as const;
    for (const state of states) for (const at of [0, 90]) table.add(member(`${state}${at}`, state, at), rng);
    const forgotten = table.reap(100, 30, rng).map(({ name }) => name);
    expect(forgotten.sort()).toEqual(['dead0', 'left0']);
    expect(table.all.map(({ name }) => table.get(name)?.name).sort()).toEqual([
      'alive0',
      'alive90',
      'dead90',
      'left90',
      'suspect0',
      'suspect90',
    ]);
  });

  it('adds at random places without losing anyone', () => {
    const table = new MemberTable();
    const rng = seededRng(5);
    const names = Array.from({ length: 50 }, (_, i) => `n${i}`);
    for (const name of names) table.add(member(name, 'alive', 0), rng);
    expect(table.all.map(({ name }) => name)).not.toEqual(names);
    expect(names.every((name) => table.get(name)?.name === name)).toBe(true);
    expect(table.size).toBe(50);
  });
});

describe('timers', () => {
  it('come in order of time, then of setting, and none early', () => {
    const timers = new Timers();
    const rng = seededRng(6);
    const times = Array.from({ length: 200 }, () => Math.floor(rng() * 50));
    times.forEach((at, seqNo) => timers.set(at, { kind: 'pingEnd', seqNo }));
    const taken: number[][] = [];
    for (let due = timers.take(40); due !== undefined; due = timers.take(40)) {
      taken.push([due.at, 'seqNo' in due.timer ? due.timer.seqNo : -1]);
    }
    const expected = times.map((at, i) => [at, i]).filter(([at]) => (at ?? 0) <= 40);
    expected.sort(([a = 0, i = 0], [b = 0, j = 0]) => a - b || i - j);
    expect(taken).toEqual(expected);
    expect(timers.next).toBeGreaterThan(40);
  });
});
