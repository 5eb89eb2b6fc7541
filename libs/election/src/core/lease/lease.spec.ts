import { Probe, node } from '../../sim/probe.js';
import type { ElectionEffect, ElectionEvent } from '../types.js';
import { lease } from './lease.js';
import type { KvAsk, KvResult, LeaseRecord, LeaseState } from './types.js';

const kinds = (effects: readonly ElectionEffect[]): string[] => effects.map((effect) => effect.kind);
const asks = (effects: readonly ElectionEffect[]): KvAsk[] =>
  effects.flatMap((e) => (e.kind === 'askKv' ? [e.ask] : []));
const record = (leader: string, change: Partial<LeaseRecord> = {}): LeaseRecord => ({
  leader: node(leader),
  nonce: `${leader}1`,
  round: 3,
  n: 9,
  state: 'held',
  ...change,
});

/** Node `b` and a bucket that answers what the test says. */
class LeaseProbe extends Probe<LeaseState> {
  constructor() {
    super(lease);
  }
  answer(result: KvResult): readonly ElectionEffect[] {
    return this.feed({ kind: 'kvAnswered', id: this.state.asked?.id ?? -1, result });
  }
  /** What is read now. */
  reads(found: LeaseRecord | undefined, rev = 20): readonly ElectionEffect[] {
    this.feed({ kind: 'kvChanged' });
    return this.answer({ kind: 'record', entry: found === undefined ? undefined : { record: found, rev } });
  }
  written(rev: number): readonly ElectionEffect[] {
    return this.answer({ kind: 'written', rev });
  }
  holds(): this {
    this.answer({ kind: 'record', entry: undefined });
    this.written(1);
    this.answer({ kind: 'counter', entry: undefined });
    this.written(2);
    this.written(3);
    return this;
  }
  leads(): this {
    this.holds().feed({ kind: 'termClaimed', above: 0, granted: true, term: 1, leader: node('b') });
    return this;
  }
}

describe('taking the record', () => {
  it('claims, counts, stamps, and claims a term, in this order', () => {
    const probe = new LeaseProbe();
    expect(asks(probe.answer({ kind: 'record', entry: undefined }))).toEqual([
      { op: 'writeRecord', record: record('b', { round: 0, n: 1, state: 'claim' }), rev: 0 },
    ]);
    expect(asks(probe.written(1))).toEqual([{ op: 'readCounter' }]);
    expect(asks(probe.answer({ kind: 'counter', entry: { round: 7, rev: 2 } }))).toEqual([
      { op: 'writeCounter', round: 8, rev: 2 },
    ]);
    expect(asks(probe.written(3))).toEqual([
      { op: 'writeRecord', record: record('b', { round: 8, n: 2, state: 'held' }), rev: 1 },
    ]);
    expect(probe.written(4)).toContainEqual({ kind: 'claimTerm', above: 0 });
    expect(probe.state.holding).toMatchObject({ rev: 4, n: 2, round: 8, until: 5_100 });
  });
  it('takes the record of another only when it saw it unchanged for long enough by its own clock', () => {
    const probe = new LeaseProbe();
    expect(asks(probe.reads(record('a')))).toEqual([]);
    expect(asks(probe.at(6_899).reads(record('a')))).toEqual([]);
    expect(asks(probe.at(6_900).reads(record('a')))[0]).toMatchObject({ op: 'writeRecord', rev: 20 });
  });
  it('counts anew with each change, of the revision or of what is written', () => {
    const probe = new LeaseProbe();
    probe.reads(record('a'));
    probe.at(6_000).reads(record('a', { n: 10 }), 21);
    expect(asks(probe.at(12_000).reads(record('a', { n: 10 }), 21))).toEqual([]);
    probe.reads(record('c', { n: 10 }), 21);
    expect(asks(probe.at(18_800).reads(record('c', { n: 10 }), 21))).toEqual([]);
    expect(asks(probe.at(18_901).reads(record('c', { n: 10 }), 21))).toHaveLength(1);
  });
  it('waits when a record it knew is gone: its holder may not know', () => {
    const probe = new LeaseProbe();
    probe.reads(record('a'));
    expect(asks(probe.at(7_000).reads(undefined))).toEqual([]);
    expect(asks(probe.at(13_900).reads(undefined))[0]).toMatchObject({ op: 'writeRecord', rev: 0 });
  });
  it('heals the counter by the rounds it saw and the term of the store', () => {
    const probe = new LeaseProbe();
    probe.feed({ kind: 'termSeen', term: 12 });
    probe.reads(record('a', { round: 30 }));
    probe.at(6_900).reads(record('a', { round: 30 }));
    probe.written(21);
    expect(asks(probe.answer({ kind: 'counter', entry: undefined }))).toEqual([
      { op: 'writeCounter', round: 31, rev: 0 },
    ]);
  });
  it('takes its own record of the life before for another’s', () => {
    const probe = new LeaseProbe();
    expect(asks(probe.reads(record('b', { nonce: 'b0' })))).toEqual([]);
  });
  it('lets go when another was faster', () => {
    const probe = new LeaseProbe();
    probe.answer({ kind: 'record', entry: undefined });
    probe.answer({ kind: 'conflict' });
    expect(probe.state).toMatchObject({ phase: 'following', taking: undefined });
    const stamping = new LeaseProbe();
    stamping.answer({ kind: 'record', entry: undefined });
    stamping.written(1);
    stamping.answer({ kind: 'counter', entry: undefined });
    stamping.written(2);
    stamping.answer({ kind: 'conflict' });
    expect(stamping.state).toMatchObject({ phase: 'following', taking: undefined, holding: undefined });
  });
  it('counts again when the counter moved, a few times', () => {
    const probe = new LeaseProbe();
    probe.answer({ kind: 'record', entry: undefined });
    probe.written(1);
    for (let i = 0; i < 3; i += 1) {
      probe.answer({ kind: 'counter', entry: { round: i, rev: i } });
      expect(asks(probe.answer({ kind: 'conflict' }))).toEqual([{ op: 'readCounter' }]);
    }
    probe.answer({ kind: 'failed' });
    expect(probe.state.taking).toBeUndefined();
  });
  it('looks whether a claim arrived whose answer was lost', () => {
    const probe = new LeaseProbe();
    probe.answer({ kind: 'record', entry: undefined });
    expect(asks(probe.answer({ kind: 'failed' }))).toEqual([{ op: 'readRecord' }]);
    expect(asks(probe.answer({ kind: 'failed' }))).toEqual([{ op: 'readRecord' }]);
    const own = record('b', { round: 0, n: 1, state: 'claim' });
    expect(asks(probe.answer({ kind: 'record', entry: { record: own, rev: 5 } }))).toEqual([{ op: 'readCounter' }]);
    probe.answer({ kind: 'counter', entry: undefined });
    expect(asks(probe.written(6))[0]).toMatchObject({ op: 'writeRecord', rev: 5 });
  });
  it('looks whether a stamp arrived, and holds it from when it was sent', () => {
    const probe = new LeaseProbe();
    probe.answer({ kind: 'record', entry: undefined });
    probe.written(1);
    probe.answer({ kind: 'counter', entry: undefined });
    probe.written(2);
    probe.at(300).answer({ kind: 'failed' });
    probe.at(320).answer({ kind: 'record', entry: { record: record('b', { round: 1, n: 2 }), rev: 9 } });
    expect(probe.state.holding).toMatchObject({ rev: 9, until: 5_100 });
  });
  it('gives up a try whose claim did not arrive', () => {
    const probe = new LeaseProbe();
    probe.answer({ kind: 'record', entry: undefined });
    probe.answer({ kind: 'failed' });
    probe.answer({ kind: 'record', entry: { record: record('a'), rev: 1 } });
    expect(probe.state.taking).toBeUndefined();
    expect(asks(probe.at(500).timer('poll'))).toEqual([{ op: 'readRecord' }]);
  });
  it('takes nothing while it is not able to lead, and at last while it is not well', () => {
    const deaf = new LeaseProbe();
    deaf.feed({ kind: 'deaf' });
    expect(asks(deaf.answer({ kind: 'record', entry: undefined }))).toEqual([]);
    const unwell = new LeaseProbe();
    unwell.feed({ kind: 'health', score: 5 });
    unwell.reads(record('a'));
    expect(asks(unwell.at(7_000).reads(record('a')))).toEqual([]);
    expect(asks(unwell.at(9_900).reads(record('a')))).toHaveLength(1);
  });
  it('drops late answers, and those to a try that was given up', () => {
    const probe = new LeaseProbe();
    expect(probe.feed({ kind: 'kvAnswered', id: 99, result: { kind: 'conflict' } })).toEqual([]);
    probe.answer({ kind: 'record', entry: undefined });
    probe.feed({ kind: 'message', message: { kind: 'coordinator', leader: node('a'), term: 1, resigned: false } });
    expect(probe.state.taking).toBeUndefined();
    expect(asks(probe.written(1))).toEqual([]);
    const stray: ElectionEvent = { kind: 'voteLoaded', vote: 'empty' };
    expect(probe.feed(stray)).toEqual([]);
    expect(probe.feed({ kind: 'message', message: { kind: 'election', from: node('a'), round: 'r' } })).toEqual([]);
    probe.at(2_000).timer('election');
    expect(probe.state.deadlines.election).toBe(3_000);
  });
});

describe('being invited', () => {
  it('takes the record at once, as its holder left it, and only that', () => {
    const probe = new LeaseProbe();
    probe.reads(record('a'));
    const invite = (nonce: string, round: number): void =>
      void probe.feed({ kind: 'message', message: { kind: 'handOver', from: node('a'), nonce, round } });
    invite('a0', 3);
    expect(asks(probe.answer({ kind: 'record', entry: { record: record('a'), rev: 20 } }))).toEqual([]);
    invite('a1', 2);
    expect(probe.state.asked).toBeUndefined();
    invite('a1', 3);
    expect(asks(probe.answer({ kind: 'record', entry: { record: record('a'), rev: 20 } }))).toHaveLength(1);
  });
});

describe('holding the record', () => {
  it('renews by compare-and-set, each time with a new number', () => {
    const probe = new LeaseProbe().leads();
    expect(asks(probe.at(2_000).timer('renewRecord'))).toEqual([
      { op: 'writeRecord', record: record('b', { round: 1, n: 3 }), rev: 3 },
    ]);
    probe.at(2_100).written(4);
    expect(probe.state.holding).toMatchObject({ rev: 4, n: 3, until: 7_100 });
  });
  it('adopts its own renewal whose answer was lost, and renews at once', () => {
    const probe = new LeaseProbe().leads();
    probe.at(2_000).timer('renewRecord');
    probe.answer({ kind: 'failed' });
    probe.at(2_050).timer('renewRecord');
    expect(asks(probe.answer({ kind: 'conflict' }))).toEqual([{ op: 'readRecord' }]);
    const found = { record: record('b', { round: 1, n: 3 }), rev: 8 };
    expect(asks(probe.answer({ kind: 'record', entry: found }))).toEqual([
      { op: 'writeRecord', record: record('b', { round: 1, n: 4 }), rev: 8 },
    ]);
    // It was sent with the first try or later, so that nobody takes it for dead before that one has aged.
    expect(probe.state.holding?.until).toBe(7_100);
  });
  it('counts a renewal from its first try also when a read in between did not show it yet', () => {
    const probe = new LeaseProbe().leads();
    probe.at(2_000).timer('renewRecord');
    probe.answer({ kind: 'conflict' });
    probe.at(2_600).answer({ kind: 'record', entry: { record: record('b', { round: 1, n: 2 }), rev: 3 } });
    probe.answer({ kind: 'conflict' });
    probe.at(2_700).answer({ kind: 'record', entry: { record: record('b', { round: 1, n: 3 }), rev: 8 } });
    expect(probe.state.holding?.until).toBe(7_100);
  });
  it.each([
    ['another’s', { record: record('a'), rev: 9 }],
    ['gone', undefined],
    ['of an earlier round', { record: record('b', { round: 0, n: 3 }), rev: 9 }],
  ])('steps down at once when the record is %s', (_, entry) => {
    const probe = new LeaseProbe().leads();
    probe.at(2_000).timer('renewRecord');
    probe.answer({ kind: 'conflict' });
    const effects = probe.answer({ kind: 'record', entry });
    expect(effects[0]).toEqual({ kind: 'steppedDown', term: 1, why: 'mandateLost' });
    expect(probe.at(2_500).timer('renewRecord')).toEqual([]);
  });
  it('waits for the store no more when it lost the record meanwhile', () => {
    const probe = new LeaseProbe().holds();
    probe.at(1_000).timer('renewRecord');
    probe.at(2_000).timer('renewRecord');
    probe.answer({ kind: 'conflict' });
    probe.answer({ kind: 'record', entry: undefined });
    expect(probe.state).toMatchObject({ phase: 'following', holding: undefined });
  });
  it('goes on trying within its time, then leads no more', () => {
    const probe = new LeaseProbe().leads();
    probe.at(2_000).timer('renewRecord');
    probe.answer({ kind: 'failed' });
    expect(probe.state.deadlines.renewRecord).toBe(2_050);
    probe.at(2_900).timer('renew');
    probe.feed({ kind: 'renewed', asked: 1, held: true, term: 1 });
    expect(lease.leaderOf(probe.state, 5_099).leader).toBe('b');
    expect(kinds(probe.at(5_100).timer('poll'))).not.toContain('announce');
    expect(probe.state.tenure).toBeUndefined();
  });
  it('claims again when it followed an earlier leader while its claim came to nothing', () => {
    const probe = new LeaseProbe().holds();
    probe.feed({ kind: 'message', message: { kind: 'coordinator', leader: node('a'), term: 0, resigned: false } });
    probe.feed({ kind: 'claimFailed', above: 0 });
    expect(probe.state).toMatchObject({ phase: 'following', holding: {}, claim: undefined });
    expect(probe.at(2_000).timer('election')).toContainEqual({ kind: 'claimTerm', above: 0 });
  });
  it('names the highest node that lives when it resigns, and when the store is away', () => {
    const probe = new LeaseProbe().leads();
    const handOver = { kind: 'handOver', from: node('b'), nonce: 'b1', round: 1 };
    expect(probe.feed({ kind: 'resign' })).toContainEqual({ kind: 'send', to: 'c', message: handOver });
    const away = new LeaseProbe().holds();
    expect(away.feed({ kind: 'claimFailed', above: 0 })).toContainEqual({ kind: 'send', to: 'c', message: handOver });
    const alone = new LeaseProbe().leads();
    for (const name of ['a', 'c']) alone.feed({ kind: 'memberLeft', node: node(name) });
    expect(kinds(alone.feed({ kind: 'stop' }))).not.toContain('send');
  });
});
