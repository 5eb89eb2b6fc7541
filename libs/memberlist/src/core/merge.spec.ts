import { ascii } from '../golden.fixture.js';
import { Alone, at, changes, vsn } from './alone.fixture.js';
import type { NodeState } from './codec/stream-message.js';
import type { step } from './step.js';

describe('new attributes of ours', () => {
  it('are an alive of the next incarnation, done at once when nobody is there to hear it', () => {
    const bench = new Alone();
    const effects = bench.run({ kind: 'update', meta: ascii('new'), token: 7 });
    expect(bench.member('me')).toMatchObject({ incarnation: 2, meta: ascii('new') });
    expect([changes(effects), effects.at(-1)]).toEqual([['update me'], { kind: 'broadcastDone', token: 7 }]);
    bench.alive('b');
    expect(bench.run({ kind: 'update', meta: ascii('newer'), token: 8 }).map(({ kind }) => kind)).toEqual(['member']);
  });

  it('are done at once when nobody is told: after leaving, or when our own delegate refuses us', () => {
    const done = (token: number): object => expect.arrayContaining([{ kind: 'broadcastDone', token }]);
    const left = new Alone();
    left.alive('b');
    left.run({ kind: 'leave', token: 1 });
    expect(left.run({ kind: 'update', meta: ascii('new'), token: 2 })).toEqual(done(2));
    const refused = new Alone({}, { aliveProblem: ({ name }) => (name === 'me' ? 'no' : undefined) });
    refused.alive('b');
    expect(refused.run({ kind: 'update', meta: ascii('new'), token: 3 })).toEqual(done(3));
    expect(refused.run({ kind: 'leave', token: 4 })).toEqual(done(4));
  });
});

describe('a merge', () => {
  const state = (name: string, incarnation: number, wire: number): NodeState => ({
    ...{ name, incarnation, state: wire, meta: undefined, vsn },
    ...at(name.charCodeAt(0)),
  });
  const remote = (states: NodeState[], join = false): Parameters<typeof step>[1] => ({
    kind: 'pushPull',
    remote: { kind: 'pushPull', join, states, userState: ascii('theirs') },
  });

  it('takes newer lives over, makes suspects of the dead, and believes who left', () => {
    const bench = new Alone();
    for (const name of ['b', 'c', 'd', 'e']) bench.alive(name);
    const states = [
      state('b', 2, 0),
      state('c', 1, 1),
      state('d', 1, 2),
      state('e', 1, 3),
      state('f', 1, 0),
      state('g', 1, 2),
    ];
    const effects = bench.run(remote(states));
    expect(changes(effects)).toEqual(['suspect c', 'suspect d', 'leave e', 'join f']);
    expect(['b', 'c', 'd', 'e', 'f'].map((name) => bench.member(name).state)).toEqual([
      'alive',
      'suspect',
      'suspect',
      'left',
      'alive',
    ]);
    expect(bench.node.table.get('g')).toBeUndefined();
    expect(effects.at(-1)).toMatchObject({ kind: 'remoteState', join: false });
  });

  it('is refused whole for versions, and by the delegate when it is a join', () => {
    const bench = new Alone({}, { mergeProblem: () => 'not with you' });
    const old = { ...state('b', 1, 0), vsn: Uint8Array.of(1, 1, 1, 0, 0, 0) };
    expect(bench.run(remote([old]))).toMatchObject([
      { kind: 'mergeRefused', reason: expect.stringContaining("Node 'me'") },
    ]);
    expect(bench.run(remote([state('b', 1, 0)], true))).toMatchObject([{ reason: 'not with you' }]);
    expect(bench.node.table.size).toBe(1);
    expect(changes(bench.run(remote([state('b', 1, 0)])))).toEqual(['join b']);
  });
});

describe('a pause of our own process', () => {
  it('costs our health and accuses nobody, although the probe had no answer', () => {
    const bench = new Alone();
    bench.alive('b');
    while (bench.node.probe === undefined) bench.pass(10);
    bench.now += 30_000;
    bench.run({ kind: 'paused', lateMs: 29_000 });
    const effects = bench.run({ kind: 'wake' });
    expect(changes(effects)).toEqual([]);
    expect([bench.member('b').state, bench.node.awareness.score]).toEqual(['alive', 1]);
  });
});
