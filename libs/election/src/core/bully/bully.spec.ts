import type { NodeId } from '@das/kernel';
import { outranks } from '../rank.js';
import { checkTimings, defaultTimings } from '../timings.js';
import { liveNodesMax, replacedEpochsMax } from '../types.js';
import type { ElectionConfig, ElectionEffect, ElectionEvent, TimerKind } from '../types.js';
import { bully } from './bully.js';
import type { BullyState } from './types.js';

const id = (name: string): NodeId => name as NodeId;
const rng = (): number => 0;
const B = id('b');
const { step, leaderOf } = bully;
const config = (change: Partial<ElectionConfig> = {}): ElectionConfig => ({
  self: B,
  instance: 'i',
  priorities: {},
  voters: [],
  preempt: true,
  timings: defaultTimings,
  ...change,
});

/** Messages in short: what is said to whom, without its sender. */
type Short =
  | Exclude<ElectionEffect, { kind: 'send' }>
  | { readonly kind: 'sendElection'; readonly to: string; readonly round: string }
  | { readonly kind: 'sendOk'; readonly to: string; readonly round: string; readonly leader: unknown };
function short(effect: ElectionEffect): Short {
  if (effect.kind !== 'send') return effect;
  const { to, message } = effect;
  if (message.kind === 'ok') return { kind: 'sendOk', to, round: message.round, leader: message.leader };
  if (message.kind !== 'election') throw new Error(`not bully's: ${message.kind}`);
  const { kind, from, ...rest } = message;
  expect([kind, from]).toEqual(['election', B]);
  return { kind: 'sendElection', to, ...rest };
}

/** One node `b` between `a` and `c`, fed event by event. */
class Fed {
  state: BullyState;
  now = 0;
  constructor(priorities: Record<string, number> = {}, storeSeen = true) {
    this.state = bully.initialState(config({ priorities }));
    this.feed({ kind: 'started' });
    if (storeSeen) this.feed({ kind: 'termSeen', term: 0 });
    for (const node of ['a', 'b', 'c']) this.feed({ kind: 'memberAlive', node: id(node) });
    this.beat();
  }
  feed(event: ElectionEvent): readonly Short[] {
    const { state, effects } = step(this.state, event, this.now, rng);
    this.state = state;
    return effects.map(short);
  }
  at(now: number): this {
    this.now = now;
    return this;
  }
  beat(epoch = 'e1'): readonly Short[] {
    return this.feed({ kind: 'splitterBeat', epoch });
  }
  timer(timer: TimerKind): readonly Short[] {
    return this.feed({ kind: 'timer', timer });
  }
  election(from: string): readonly Short[] {
    return this.feed({ kind: 'message', message: { kind: 'election', from: id(from), round: 'r' } });
  }
  ok(from: string, round: string, leader?: { node: NodeId; term: number }): readonly Short[] {
    return this.feed({ kind: 'message', message: { kind: 'ok', from: id(from), round, leader } });
  }
  coordinator(leader: string, term: number, resigned = false): readonly Short[] {
    return this.feed({ kind: 'message', message: { kind: 'coordinator', leader: id(leader), term, resigned } });
  }
  granted(above: number): readonly Short[] {
    return this.feed({ kind: 'termClaimed', above, granted: true, term: above + 1, leader: B });
  }
  refused(above: number, term: number, leader: string): readonly Short[] {
    return this.feed({ kind: 'termClaimed', above, granted: false, term, leader: id(leader) });
  }
  /** Calls the election and gets no objection. */
  claims(): this {
    this.at(this.now + 1_000).beat();
    this.timer('election');
    this.at(this.now + 200).timer('ok');
    return this;
  }
  leads(): this {
    this.claims().granted(this.state.term);
    return this;
  }
}

const kinds = (effects: readonly Short[]): string[] => effects.map((effect) => effect.kind);
const waits = (effects: readonly Short[]): Record<string, number> =>
  Object.fromEntries(effects.flatMap((e) => (e.kind === 'setTimer' ? [[e.timer, e.afterMs]] : [])));

describe('rank', () => {
  it('is the name, greatest first, unless a priority is given', () => {
    expect(outranks(id('node-2'), id('node-1'), {})).toBe(true);
    expect(outranks(id('node-10'), id('node-9'), {})).toBe(false);
    expect(outranks(id('a'), id('Z'), {})).toBe(true);
    expect(outranks(id('a'), id('z'), { a: 1 })).toBe(true);
    expect(outranks(id('z'), id('a'), { a: 1 })).toBe(false);
    expect(outranks(id('a'), id('a'), {})).toBe(false);
  });
});

describe('timings', () => {
  it('are accepted as they ship', () => expect(checkTimings(defaultTimings)).toEqual([]));
  it.each([
    [{ heartbeatMs: 251 }, 'heartbeatMs'],
    [{ leaderFreshMs: 1_000 }, 'leaderFreshMs'],
    [{ okWaitMs: 301 }, 'okWaitMs'],
    [{ renewEveryMs: 1_500 }, 'renewEveryMs'],
    [{ backoffMs: 2_001 }, 'backoffMs'],
    [{ lateMs: 0 }, 'above 0'],
    [{ lateMs: Number.NaN }, 'above 0'],
  ])('are refused when they contradict each other: %j', (change, word) => {
    const faults = checkTimings({ ...defaultTimings, ...change });
    expect(faults).toHaveLength(1);
    expect(faults[0]).toContain(word);
  });
});

describe('calling an election', () => {
  it('waits L for a leader before it calls', () => {
    const node = new Fed();
    expect(node.at(999).timer('election')).toEqual([]);
    expect(node.at(1_000).timer('election')).toContainEqual({ kind: 'sendElection', to: 'c', round: 'i.1' });
  });

  it('asks only higher-ranked nodes that live', () => {
    const node = new Fed();
    node.feed({ kind: 'memberDead', node: id('c') });
    node.at(1_000);
    expect(node.timer('election')).toEqual([{ kind: 'claimTerm', above: 0 }]);
  });

  it('asks those with priority over it, whatever their names', () => {
    const node = new Fed({ a: 5, b: 3 });
    node.at(1_000);
    const asked = node.timer('election').filter((effect) => effect.kind === 'sendElection');
    expect(asked).toEqual([{ kind: 'sendElection', to: 'a', round: 'i.1' }]);
  });

  it('asks the leader it lost sight of too, though it ranks lower', () => {
    const node = new Fed();
    node.coordinator('a', 1);
    node.at(1_000).beat();
    const asked = node.timer('election').flatMap((effect) => (effect.kind === 'sendElection' ? [effect.to] : []));
    expect(asked).toEqual(['a', 'c']);
  });

  it('does not call while its job-splitter is not heard, nor while it is deaf', () => {
    const silent = new Fed().at(2_000);
    expect(kinds(silent.timer('election'))).toEqual(['setTimer']);
    const deaf = new Fed();
    deaf.feed({ kind: 'deaf' });
    deaf.at(1_000).beat();
    expect(kinds(deaf.timer('election'))).toEqual(['setTimer']);
    expect(deaf.state.phase).toBe('following');
  });

  it('claims when nobody objects in time', () => {
    const node = new Fed().at(1_000);
    node.timer('election');
    expect(node.at(1_200).timer('ok')).toEqual([{ kind: 'claimTerm', above: 0 }]);
  });

  it('does not claim when its job-splitter fell silent meanwhile', () => {
    const node = new Fed().at(1_400);
    node.timer('election');
    node.at(1_600).timer('ok');
    expect(node.state.phase).toBe('following');
    expect(node.state.claim).toBeUndefined();
  });

  it('passes over a node that objects and never leads, for a while', () => {
    const node = new Fed().at(1_000);
    node.beat();
    node.timer('election');
    expect(waits(node.ok('c', 'i.1'))).toEqual({ coordinator: 600 });
    expect(node.state.phase).toBe('awaiting');
    expect(node.at(1_600).timer('coordinator')).toEqual([{ kind: 'claimTerm', above: 0 }]);
    node.refused(0, 4, 'c');
    node.at(6_700).beat();
    expect(kinds(node.timer('election'))).toContain('sendElection');
  });

  it('takes OKs of other rounds and of nodes it did not ask for nothing', () => {
    const node = new Fed().at(1_000);
    node.timer('election');
    expect(node.ok('c', 'i.0')).toEqual([]);
    expect(node.ok('a', 'i.1')).toEqual([]);
    expect(node.state.phase).toBe('calling');
    node.ok('c', 'i.1');
    expect(node.ok('c', 'i.1')).toEqual([]);
  });

  it('follows a leader that an OK names, but none whose term is over, nor itself', () => {
    const node = new Fed();
    node.coordinator('c', 3);
    node.coordinator('c', 3, true);
    node.timer('election');
    for (const leader of [
      { node: id('c'), term: 3 },
      { node: id('a'), term: 2 },
      { node: B, term: 9 },
    ]) {
      expect(node.ok('c', 'i.1', leader)).toEqual([]);
    }
    expect(node.state.phase).toBe('calling');
    node.ok('c', 'i.1', { node: id('a'), term: 4 });
    expect(node.state).toMatchObject({ phase: 'following', term: 4, holder: 'a' });
  });

  it('waits no longer for nodes that are gone', () => {
    const calling = new Fed().at(1_000);
    calling.timer('election');
    expect(calling.feed({ kind: 'memberLeft', node: id('c') })).toContainEqual({ kind: 'claimTerm', above: 0 });
    const awaiting = new Fed().at(1_000);
    awaiting.feed({ kind: 'memberAlive', node: id('d') });
    awaiting.timer('election');
    awaiting.ok('d', 'i.1');
    expect(awaiting.feed({ kind: 'memberDead', node: id('c') })).toEqual([]);
    expect(awaiting.feed({ kind: 'memberDead', node: id('x') })).toEqual([]);
    expect(awaiting.feed({ kind: 'memberDead', node: id('d') })).toContainEqual({ kind: 'claimTerm', above: 0 });
  });

  it('gives what came during a pause one look before it calls', () => {
    const node = new Fed();
    node.at(1_000).beat();
    expect(waits(node.at(1_301).timer('election'))).toEqual({ election: 500 });
    node.at(2_200).beat();
    expect(kinds(node.timer('election'))).toContain('sendElection');
  });
});

describe('being asked', () => {
  it('objects to a lower rank and stands itself', () => {
    const effects = new Fed().election('a');
    expect(effects).toContainEqual({ kind: 'sendOk', to: 'a', round: 'r', leader: undefined });
    expect(effects).toContainEqual({ kind: 'sendElection', to: 'c', round: 'i.1' });
  });
  it('does not start a second election for a second call', () => {
    const node = new Fed();
    node.election('a');
    expect(kinds(node.election('a'))).toEqual(['sendOk']);
  });
  it('is silent to higher ranks, to its own echo, and when it could not lead', () => {
    const node = new Fed();
    expect(node.election('c')).toEqual([]);
    expect(node.election('b')).toEqual([]);
    expect(node.at(5_000).election('a')).toEqual([]);
  });
  it('names the leader it hears, except to that leader', () => {
    const node = new Fed();
    node.coordinator('a', 2);
    const named = { kind: 'sendOk', to: 'c', round: 'r', leader: { node: 'a', term: 2 } };
    expect(node.election('c')).toEqual([named]);
    expect(node.election('a')).toContainEqual({ kind: 'sendOk', to: 'a', round: 'r', leader: undefined });
    node.coordinator('a', 2);
    expect(node.at(750).election('c')).toEqual([]);
  });
  it('names itself to any rank while it leads, and says so to all', () => {
    const node = new Fed().leads();
    const effects = node.election('c');
    expect(effects[0]).toEqual({ kind: 'sendOk', to: 'c', round: 'r', leader: { node: 'b', term: 1 } });
    expect(effects[1]).toMatchObject({ kind: 'announce', term: 1, resigned: false });
  });
});

describe('claiming', () => {
  it('leads by the grant alone, and says so at once', () => {
    const effects = new Fed().claims().granted(0);
    expect(effects[0]).toEqual({ kind: 'steppedUp', term: 1 });
    expect(effects[1]).toEqual({ kind: 'announce', term: 1, resigned: false, trustUntil: 4_200, epoch: 'e1' });
    expect(waits(effects)).toEqual({ heartbeat: 250, renew: 1_000, lease: 3_000, splitter: 1_500 });
  });
  it('follows the one who was faster, or tries again after a while', () => {
    const node = new Fed().claims();
    expect(waits(node.refused(0, 7, 'c'))).toEqual({ election: 900 });
    expect(node.state).toMatchObject({ phase: 'following', term: 7, holder: 'c' });
    expect(node.refused(0, 7, 'c')).toEqual([]);
  });
  it('asks for no term before it has read which one there is: it may have led in that one before it was restarted', () => {
    const node = new Fed({}, false);
    for (const name of ['a', 'c']) node.feed({ kind: 'memberDead', node: id(name) });
    expect(kinds(node.at(1_000).timer('election'))).not.toContain('claimTerm');
    node.at(2_000).beat();
    expect(waits(node.feed({ kind: 'termSeen', term: 1, leader: B }))).toEqual({ election: 0 });
    expect(node.timer('election')).toContainEqual({ kind: 'claimTerm', above: 1 });
  });
  it('claims the next term at once, and only once, when the refusal names itself: that grant was never heard', () => {
    const node = new Fed().claims();
    expect(node.refused(0, 1, 'b')).toEqual([{ kind: 'claimTerm', above: 1 }]);
    expect(kinds(node.refused(1, 2, 'b'))).toEqual(['setTimer']);
  });
  it('waits longer each time the store cannot be asked, and objects to nobody meanwhile', () => {
    const node = new Fed().claims();
    expect(waits(node.feed({ kind: 'claimFailed', above: 0 }))).toEqual({ election: 300 });
    expect(node.feed({ kind: 'claimFailed', above: 0 })).toEqual([]);
    expect(node.election('a')).toEqual([]);
    const seen: (number | undefined)[] = [];
    for (let i = 0; i < 5; i += 1) {
      node.at(node.now + 2_000).beat();
      node.timer('election');
      if (node.state.graced) node.at(node.now + 500).timer('election');
      node.at(node.now + 200).beat();
      node.timer('ok');
      seen.push(waits(node.feed({ kind: 'claimFailed', above: 0 }))['election']);
    }
    expect(seen).toEqual([600, 1_200, 2_000, 2_000, 2_000]);
  });
  it('keeps one claim in flight: its answer decides', () => {
    const node = new Fed().claims();
    node.coordinator('c', 0);
    expect(node.state.phase).toBe('following');
    node.at(node.now + 1_000).beat();
    node.timer('election');
    node.at(node.now + 200);
    expect(node.timer('ok')).toEqual([]);
    expect(node.state.phase).toBe('claiming');
    expect(kinds(node.granted(0))).toContain('steppedUp');
  });
  it('leads by a grant although it followed someone of a lower term meanwhile', () => {
    const node = new Fed().claims();
    node.coordinator('c', 0);
    expect(kinds(node.granted(0))).toContain('steppedUp');
  });
  it('ends the election that it called meanwhile, when an earlier claim is granted', () => {
    const node = new Fed().claims();
    node.coordinator('c', 0);
    node.at(node.now + 1_000).beat();
    node.timer('election');
    expect(node.state.phase).toBe('calling');
    node.granted(0);
    expect(node.state).toMatchObject({ phase: 'leading', election: undefined });
    expect(node.at(node.now + 200).timer('ok')).toEqual([]);
    expect(node.state.phase).toBe('leading');
  });
  it('drops a grant that is already history', () => {
    const node = new Fed().claims();
    node.coordinator('c', 5);
    expect(node.granted(0)).toEqual([]);
    expect(node.state).toMatchObject({ phase: 'following', term: 5 });
  });
  it('forgets a failure of a claim it no longer waits for', () => {
    const node = new Fed().claims();
    node.coordinator('c', 5);
    expect(node.feed({ kind: 'claimFailed', above: 0 })).toEqual([]);
  });
  it.each([
    ['after a pause longer than the lease', (node: Fed) => node.at(node.now + 3_000).beat()],
    ['after its job-splitter fell silent', (node: Fed) => node.at(node.now + 1_500)],
  ])('gives a grant back that comes %s', (_, before) => {
    const node = new Fed().claims();
    before(node);
    expect(node.granted(0)[0]).toMatchObject({ kind: 'announce', term: 1, resigned: true });
    expect(node.state).toMatchObject({ phase: 'following', termOver: true });
  });
  it('gives a grant back that comes after the stop', () => {
    const node = new Fed().claims();
    node.feed({ kind: 'stop' });
    expect(kinds(node.granted(0))).toEqual(['announce']);
    expect(node.state.phase).toBe('stopped');
  });
  it('claims again when the job-splitter restarted during the claim', () => {
    const node = new Fed().claims();
    node.beat('e2');
    expect(node.granted(0)).toEqual([{ kind: 'claimTerm', above: 1 }]);
    expect(node.granted(1)[1]).toMatchObject({ kind: 'announce', term: 2, epoch: 'e2' });
  });
});

describe('leading', () => {
  it('announces every H and renews every second', () => {
    const node = new Fed().leads();
    expect(kinds(node.at(node.now + 250).timer('heartbeat'))).toEqual(['announce', 'setTimer']);
    expect(node.at(node.now + 750).timer('renew')).toContainEqual({ kind: 'renewTerm', term: 1 });
  });
  it('has one renewal in flight, and tries a failed one again soon', () => {
    const node = new Fed().leads();
    node.at(node.now + 1_000).timer('renew');
    expect(node.at(node.now + 1_000).timer('renew')).toEqual([]);
    expect(waits(node.feed({ kind: 'renewFailed', asked: 1 }))).toEqual({ renew: 250 });
    expect(node.feed({ kind: 'renewFailed', asked: 1 })).toEqual([]);
  });
  it('counts the lease from the start of the renewal', () => {
    const node = new Fed().leads();
    node.at(2_200).timer('renew');
    node.at(3_000).feed({ kind: 'renewed', asked: 1, held: true, term: 1, leader: B });
    expect(node.state.tenure?.leaseUntil).toBe(5_200);
    expect(node.at(4_200).timer('lease')).toEqual([]);
    expect(leaderOf(node.state, 5_199)).toEqual({ leader: 'b', term: 1 });
    expect(leaderOf(node.state, 5_200)).toEqual({ leader: undefined, term: 1 });
    expect(node.at(5_200).timer('lease')).toEqual([
      { kind: 'steppedDown', term: 1, why: 'leaseLost' },
      { kind: 'announce', term: 1, resigned: true, trustUntil: 5_200, epoch: undefined },
      { kind: 'setTimer', timer: 'election', afterMs: 300 },
    ]);
  });
  it('does not revive a lease by an answer that comes after its end', () => {
    const node = new Fed().leads();
    node.at(3_900).timer('renew');
    const effects = node.at(4_300).feed({ kind: 'renewed', asked: 1, held: true, term: 1, leader: B });
    expect(kinds(effects)).toContain('steppedDown');
    expect(node.state.tenure).toBeUndefined();
  });
  it('steps down at once when the store says that the term is over', () => {
    const node = new Fed().leads();
    node.at(2_200).timer('renew');
    const effects = node.feed({ kind: 'renewed', asked: 1, held: false, term: 2, leader: id('c') });
    expect(effects[0]).toEqual({ kind: 'steppedDown', term: 1, why: 'notHeld' });
    expect(node.state).toMatchObject({ term: 2, holder: 'c', phase: 'following' });
  });
  it('takes the answer of an earlier tenure for nothing', () => {
    const node = new Fed().leads();
    expect(node.feed({ kind: 'renewed', asked: 1, held: false, term: 1 })).toEqual([]);
    expect(node.state.phase).toBe('leading');
  });
  it('gives way to a higher term, never to a lower one', () => {
    const node = new Fed().leads();
    expect(node.coordinator('c', 0)).toEqual([]);
    expect(node.coordinator('c', 2)[0]).toEqual({ kind: 'steppedDown', term: 1, why: 'higherTerm' });
    expect(leaderOf(node.state, node.now)).toEqual({ leader: 'c', term: 2 });
  });
  it('is not disturbed by a higher-ranked node that joins', () => {
    const node = new Fed().leads();
    expect(node.feed({ kind: 'memberAlive', node: id('z') })).toEqual([]);
    expect(kinds(node.election('z'))).not.toContain('steppedDown');
  });
  it('resigns when its job-splitter misses three beats', () => {
    const node = new Fed().leads();
    node.at(1_700).beat();
    expect(waits(node.at(2_700).timer('splitter'))).toEqual({ splitter: 500 });
    expect(node.at(3_200).timer('splitter')[0]).toEqual({ kind: 'steppedDown', term: 1, why: 'splitterSilent' });
  });
  it('does not judge its job-splitter while it is deaf or was paused, but for no longer than a lease', () => {
    const deaf = new Fed().leads();
    deaf.feed({ kind: 'deaf' });
    expect(waits(deaf.at(2_700).timer('splitter'))).toEqual({ splitter: 500 });
    const paused = new Fed().leads();
    expect(waits(paused.at(3_100).timer('splitter'))).toEqual({ splitter: 500 });
    paused.at(3_500).timer('renew');
    paused.feed({ kind: 'renewed', asked: 1, held: true, term: 1 });
    expect(kinds(paused.at(4_100).timer('splitter'))).toContain('steppedDown');
  });
  it('does not judge it while the store is as slow to answer, but for no longer than a lease', () => {
    const quick = new Fed().leads();
    quick.at(2_201).timer('renew');
    expect(quick.at(2_700).timer('splitter')[0]).toEqual({ kind: 'steppedDown', term: 1, why: 'splitterSilent' });
    const slow = new Fed().leads();
    slow.at(2_200).timer('renew');
    expect(waits(slow.at(2_700).timer('splitter'))).toEqual({ splitter: 500 });
  });
  it('renews at once when a renewal took longer than the time between two', () => {
    const node = new Fed().leads();
    node.at(2_200).timer('renew');
    expect(waits(node.at(3_300).feed({ kind: 'renewed', asked: 1, held: true, term: 1, leader: B }))).toMatchObject({
      renew: 0,
    });
  });
  it('claims the next term for a new instance of its job-splitter, without resigning', () => {
    const node = new Fed().leads();
    expect(node.beat('e2')).toEqual([
      { kind: 'steppedDown', term: 1, why: 'splitterRestarted' },
      { kind: 'claimTerm', above: 1 },
    ]);
    node.granted(1);
    expect(node.beat('e1')).toEqual([]);
    expect(node.state.tenure).toMatchObject({ term: 2, epoch: 'e2' });
  });
  it('remembers a bounded number of replaced instances', () => {
    const node = new Fed();
    for (let i = 0; i < 50; i += 1) node.beat(`x${i}`);
    expect(node.state.replacedEpochs).toHaveLength(replacedEpochsMax);
  });
  it('resigns when stopped, and does nothing more', () => {
    const node = new Fed().leads();
    expect(kinds(node.feed({ kind: 'stop' }))).toEqual(['steppedDown', 'announce', 'setTimer']);
    expect(node.timer('election')).toEqual([]);
    expect(node.coordinator('c', 9)).toEqual([]);
    expect(new Fed().feed({ kind: 'stop' })).toEqual([]);
  });
});

describe('following', () => {
  it('knows no leader that was silent for longer than an election takes to be called', () => {
    const node = new Fed();
    expect(leaderOf(node.state, 0)).toEqual({ leader: undefined, term: 0 });
    node.coordinator('c', 1);
    expect(leaderOf(node.state, 1_299).leader).toBe('c');
    expect(leaderOf(node.state, 1_300).leader).toBeUndefined();
  });
  it('elects at once when the leader resigns, and hears no late Coordinator of that term', () => {
    const node = new Fed();
    node.coordinator('c', 1);
    expect(waits(node.coordinator('c', 1, true))).toEqual({ election: 0 });
    expect(node.coordinator('c', 1)).toEqual([]);
    expect(node.coordinator('c', 1, true)).toEqual([]);
    expect(leaderOf(node.state, 0).leader).toBeUndefined();
  });
  it('goes on with an election when someone resigns meanwhile', () => {
    const node = new Fed().at(1_000);
    node.timer('election');
    expect(node.coordinator('c', 1, true)).toEqual([]);
    expect(node.state.phase).toBe('calling');
  });
  it('reports two leaders of one term, and keeps the first', () => {
    const node = new Fed();
    node.coordinator('c', 1);
    expect(kinds(node.coordinator('a', 1))).toEqual(['defect']);
    expect(leaderOf(node.state, 0).leader).toBe('c');
  });
  it('reports another process with its own name, but not its own echo', () => {
    const node = new Fed().leads();
    expect(node.coordinator('b', 1)).toEqual([]);
    expect(kinds(node.coordinator('b', 2))).toEqual(['defect']);
  });
  it('takes a late message of its own life before a restart for what it is, until it knows the terms', () => {
    const node = new Fed({}, false);
    expect(node.coordinator('b', 2)).toEqual([]);
    node.feed({ kind: 'termSeen', term: 1 });
    expect(kinds(node.coordinator('b', 2))).toEqual(['defect']);
  });
  it('takes the word of membership only for a leader that is silent', () => {
    const node = new Fed();
    node.coordinator('c', 1);
    expect(node.at(400).feed({ kind: 'memberDead', node: id('c') })).toEqual([]);
    node.at(500);
    expect(node.feed({ kind: 'memberDead', node: id('c') })).toContainEqual({ kind: 'claimTerm', above: 1 });
    const deaf = new Fed();
    deaf.coordinator('c', 1);
    deaf.feed({ kind: 'deaf' });
    expect(deaf.at(600).feed({ kind: 'memberDead', node: id('c') })).toEqual([]);
  });
  it('knows a bounded number of nodes', () => {
    const node = new Fed();
    for (let i = 0; i < liveNodesMax + 10; i += 1) node.feed({ kind: 'memberAlive', node: id(`n${i}`) });
    expect(node.state.live.size).toBe(liveNodesMax);
  });
  it('raises the term it knows by what the store says, and never lowers it', () => {
    const node = new Fed();
    node.feed({ kind: 'termSeen', term: 5 });
    node.feed({ kind: 'termSeen', term: 5, leader: id('a') });
    expect(node.state).toMatchObject({ term: 5, holder: 'a' });
    node.feed({ kind: 'termSeen', term: 3, leader: id('c') });
    expect(node.state).toMatchObject({ term: 5, holder: 'a' });
  });
  it('calls soon when its job-splitter comes to life and nobody leads', () => {
    const node = new Fed().at(3_000);
    expect(waits(node.beat())).toEqual({ election: 0 });
    const led = new Fed().at(3_000);
    led.coordinator('c', 1);
    expect(led.beat()).toEqual([]);
  });
  it('gives everyone a full timeout when it hears again', () => {
    const node = new Fed();
    node.feed({ kind: 'deaf' });
    node.at(9_000);
    expect(waits(node.feed({ kind: 'hearing' }))).toEqual({ election: 1_000 });
    const leading = new Fed().leads();
    expect(leading.feed({ kind: 'hearing' })).toEqual([]);
    const fresh = bully.initialState(config());
    expect(step(fresh, { kind: 'hearing' }, 5, rng).state.splitter).toBeUndefined();
  });
  it('ignores timers of phases it has left', () => {
    const node = new Fed().leads();
    expect(node.at(2_000).timer('ok')).toEqual([]);
    expect(node.timer('coordinator')).toEqual([]);
    expect(node.timer('election')).toEqual([]);
  });
});
