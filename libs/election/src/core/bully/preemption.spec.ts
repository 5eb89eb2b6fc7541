import { Probe, node } from '../../sim/probe.js';
import type { ElectionEffect } from '../types.js';
import { changesMax } from '../types.js';
import { bully } from './bully.js';
import type { BullyState } from './types.js';

const kinds = (effects: readonly ElectionEffect[]): string[] => effects.map((effect) => effect.kind);
const elections = (effects: readonly ElectionEffect[]): object[] =>
  effects.flatMap((e) => (e.kind === 'send' && e.message.kind === 'election' ? [{ to: e.to, ...e.message }] : []));

/** Node `b`, with `a` below and `c` above it. */
class BullyProbe extends Probe<BullyState> {
  constructor(change: Partial<BullyState['config']> = {}) {
    super(bully);
    this.state = { ...this.state, config: { ...this.state.config, ...change } };
  }
  coordinator(leader: string, term: number, to?: string): readonly ElectionEffect[] {
    const message = { kind: 'coordinator', leader: node(leader), term, resigned: to !== undefined } as const;
    return this.feed({ kind: 'message', message: to === undefined ? message : { ...message, to: node(to) } });
  }
  asks(from: string, round = 'r'): readonly ElectionEffect[] {
    return this.feed({ kind: 'message', message: { kind: 'election', from: node(from), round, preempt: true } });
  }
  leads(): this {
    this.feed({ kind: 'memberDead', node: node('c') });
    this.at(1_000).timer('election');
    this.feed({ kind: 'termClaimed', above: 0, granted: true, term: 1, leader: node('b') });
    this.feed({ kind: 'memberAlive', node: node('c') });
    return this;
  }
  /** Keeps the lease of the store. */
  until(now: number): this {
    while (this.now < now) {
      this.at(Math.min(this.now + 1_000, now)).timer('renew');
      this.feed({ kind: 'renewed', asked: 1, held: true, term: 1 });
    }
    return this;
  }
}

describe('a node that outranks the leader', () => {
  it('asks for the lead after ten seconds of following it, able to lead, and not too often', () => {
    const probe = new BullyProbe();
    probe.coordinator('a', 1);
    expect(elections(probe.at(9_999).coordinator('a', 1))).toEqual([]);
    expect(elections(probe.at(10_000).coordinator('a', 1))).toEqual([
      { to: 'a', kind: 'election', from: 'b', round: 'b1.preempt', preempt: true },
    ]);
    expect(elections(probe.at(10_500).coordinator('a', 1))).toEqual([]);
    expect(elections(probe.at(11_000).coordinator('a', 1))).toHaveLength(1);
  });
  it('begins to count again with another leader, or when it was not able to lead', () => {
    const probe = new BullyProbe();
    probe.coordinator('a', 1);
    probe.at(6_000).coordinator('Z', 2);
    expect(elections(probe.at(15_000).coordinator('Z', 2))).toEqual([]);
    probe.feed({ kind: 'health', score: 4 });
    probe.coordinator('Z', 2);
    probe.feed({ kind: 'health', score: 3 });
    expect(elections(probe.at(24_000).coordinator('Z', 2))).toEqual([]);
    expect(elections(probe.at(34_000).coordinator('Z', 2))).toHaveLength(1);
  });
  it('never asks a better one, nor when it is told not to', () => {
    const [worse, off] = [new BullyProbe(), new BullyProbe({ preempt: false })];
    worse.coordinator('c', 1);
    off.coordinator('a', 1);
    expect(elections(worse.at(20_000).coordinator('c', 1))).toEqual([]);
    expect(elections(off.at(20_000).coordinator('a', 1))).toEqual([]);
  });
});

describe('a leader that is asked for the lead', () => {
  it('gives it to the highest of those who asked, after a short wait', () => {
    const probe = new BullyProbe().leads();
    probe.feed({ kind: 'memberAlive', node: node('d') });
    probe.until(31_000).asks('c');
    probe.asks('d');
    const effects = probe.at(probe.now + 1_500).timer('handOver');
    expect(effects[0]).toEqual({ kind: 'steppedDown', term: 1, why: 'preempted' });
    expect(effects[1]).toMatchObject({ kind: 'announce', resigned: true, to: 'd' });
  });
  it('keeps it for 30 s, from lower nodes, from those that membership does not know, and when told to', () => {
    const probe = new BullyProbe().leads();
    expect(probe.until(30_000).asks('c')).toEqual([]);
    probe.until(31_000);
    expect([...probe.asks('a'), ...probe.asks('x')]).toEqual([]);
    const off = new BullyProbe({ preempt: false }).leads();
    expect(off.until(40_000).asks('c')).toEqual([]);
  });
  it('keeps it when all who asked are gone meanwhile', () => {
    const probe = new BullyProbe().leads();
    probe.until(31_000).asks('c');
    probe.feed({ kind: 'memberDead', node: node('c') });
    expect(kinds(probe.at(32_400).timer('handOver'))).not.toContain('steppedDown');
  });
  it('keeps it twice as long with each recent change of leader, at most five minutes', () => {
    for (const [changes, needed] of [
      [1, 30_000],
      [2, 60_000],
      [4, 240_000],
      [changesMax, 300_000],
    ] as const) {
      const probe = new BullyProbe().leads();
      probe.state = { ...probe.state, changes: Array.from({ length: changes }, () => probe.now) };
      expect(probe.until(1_000 + needed - 1).asks('c')).toEqual([]);
      expect(kinds(probe.until(1_000 + needed).asks('c'))).toEqual(['setTimer']);
    }
  });
});

describe('a leader that resigns', () => {
  it('is followed at once by the one it named, and after a moment by the others', () => {
    const named = new BullyProbe();
    named.coordinator('a', 1);
    expect(named.coordinator('a', 1, 'b')).toContainEqual({ kind: 'claimTerm', above: 1 });
    const other = new BullyProbe();
    other.coordinator('a', 1);
    expect(other.coordinator('a', 1, 'c')).toContainEqual({ kind: 'setTimer', timer: 'election', afterMs: 100 });
    const unable = new BullyProbe();
    unable.coordinator('a', 1);
    unable.feed({ kind: 'deaf' });
    expect(kinds(unable.coordinator('a', 1, 'b'))).toEqual(['setTimer']);
  });
  it('counts changes of leader, few of them and for a while', () => {
    const probe = new BullyProbe();
    for (let term = 1; term <= 20; term += 1) probe.at(term * 100).coordinator(term % 2 === 0 ? 'a' : 'c', term);
    expect(probe.state.changes).toHaveLength(changesMax);
    probe.at(700_000).coordinator('z', 21);
    expect(probe.state.changes).toEqual([700_000]);
  });
});

describe('a node that is not well', () => {
  const unwell = (): BullyProbe => {
    const probe = new BullyProbe();
    for (let i = 0; i < 3; i += 1) probe.feed({ kind: 'loopLag', lagMs: 251 });
    return probe;
  };
  it('asks everyone, and says that it yields', () => {
    const asked = elections(unwell().at(1_300).timer('election'));
    expect(asked).toMatchObject([
      { to: 'a', yields: true },
      { to: 'c', yields: true },
    ]);
  });
  it('objects to nobody, and is objected to by all who are well', () => {
    const probe = unwell();
    const call = { kind: 'election', from: node('a'), round: 'r' } as const;
    expect(probe.feed({ kind: 'message', message: call })).toEqual([]);
    const well = new BullyProbe();
    const effects = well.feed({ kind: 'message', message: { ...call, from: node('c'), yields: true } });
    expect(effects[0]).toMatchObject({ kind: 'send', to: 'c', message: { kind: 'ok' } });
  });
  it('is well again after one beat in time', () => {
    const probe = unwell();
    probe.feed({ kind: 'loopLag', lagMs: 10 });
    expect(elections(probe.at(1_300).timer('election'))).toMatchObject([{ to: 'c' }]);
  });
  it('resigns when it leads and the lead has not just changed, but not when nobody else is there', () => {
    const probe = new BullyProbe().leads();
    expect(kinds(probe.until(20_000).feed({ kind: 'health', score: 4 }))).toEqual([]);
    expect(probe.until(31_000).feed({ kind: 'health', score: 4 })[0]).toMatchObject({ why: 'unhealthy' });
    const alone = new BullyProbe().leads();
    for (const name of ['a', 'c']) alone.feed({ kind: 'memberLeft', node: node(name) });
    expect(alone.until(31_000).feed({ kind: 'health', score: 8 })).toEqual([]);
  });
  it('yields for five minutes after three demotions', () => {
    const probe = new BullyProbe();
    for (let term = 1; term <= 3; term += 1) {
      probe.state = {
        ...probe.state,
        term,
        phase: 'leading',
        tenure: { term, since: probe.now, leaseUntil: probe.now + 10, epoch: 'e1' },
      };
      probe.at(probe.now + 10);
    }
    expect(probe.state.yieldsUntil).toBe(probe.now + 300_000);
    expect(probe.state.demotions).toHaveLength(3);
  });
});
