import { ascii } from '../golden.fixture.js';
import { Alone, at, changes, elsewhere, vsn } from './alone.fixture.js';
import { localPushPull } from './push-pull.js';

describe('alive', () => {
  it('adds an unknown node, tells and broadcasts it', () => {
    const bench = new Alone();
    expect(changes(bench.alive('b'))).toEqual(['join b']);
    expect(bench.member('b')).toMatchObject({ state: 'alive', incarnation: 1, vsn, stateChange: 0 });
    expect(bench.queued).toEqual(['alive b 1']);
  });

  it('is idempotent: the same again changes nothing, not even the time', () => {
    const bench = new Alone();
    bench.alive('b');
    bench.node.queue.reset();
    bench.now = 500;
    expect(bench.alive('b')).toEqual([]);
    expect([bench.member('b').stateChange, bench.queued]).toEqual([0, []]);
    bench.alive('b', 2);
    expect(bench.member('b')).toMatchObject({ incarnation: 2, stateChange: 0 });
  });

  it('clears a suspicion only with a higher incarnation, and is no join then', () => {
    const bench = new Alone();
    bench.alive('b');
    bench.suspect('b');
    bench.alive('b', 1);
    expect(bench.member('b').state).toBe('suspect');
    expect(changes(bench.alive('b', 2))).toEqual(['refute b']);
    expect(bench.member('b').state).toBe('alive');
    // The old suspicion would have ended by now, and one that our own probe begins has not.
    expect(changes(bench.pass(4_200))).not.toContain('leave b');
  });

  it('ends a suspicion for good: the next one has all its time again', () => {
    const bench = new Alone({ probeIntervalMs: 3_000 });
    bench.alive('b');
    bench.suspect('b');
    bench.pass(11_000);
    bench.alive('b', 2);
    expect(changes(bench.suspect('b', 2))).toEqual(['suspect b']);
    // 12 s each: the first one's end at 12 s has no meaning any more.
    bench.pass(11_000);
    expect(bench.member('b').state).toBe('suspect');
    bench.pass(1_000);
    expect(bench.member('b').state).toBe('dead');
  });

  it('tells of new attributes', () => {
    const bench = new Alone();
    bench.alive('b');
    expect(changes(bench.alive('b', 2, { meta: ascii('new') }))).toEqual(['update b']);
  });

  it('about us with other attributes is refuted and ours are kept', () => {
    const bench = new Alone();
    bench.alive('me', 2, { meta: ascii('wrong') });
    expect(bench.member('me')).toMatchObject({ incarnation: 3, meta: new Uint8Array(0) });
    expect([bench.queued, bench.node.awareness.score]).toEqual([['alive me 3'], 1]);
  });

  it('from another address is a conflict, until the name is free', () => {
    const bench = new Alone({ deadNodeReclaimMs: 1_000 });
    bench.alive('b');
    const conflict = bench.alive('b', 2, { addr: elsewhere.addr });
    expect(conflict).toMatchObject([{ kind: 'conflict', existing: { name: 'b' }, other: elsewhere }]);
    expect(bench.member('b').addr).toEqual(at(98).addr);
    bench.dead('b');
    bench.alive('b', 2, { addr: elsewhere.addr });
    expect(bench.member('b').state).toBe('dead');
    bench.now = 1_001;
    expect(changes(bench.alive('b', 1, { addr: elsewhere.addr }))).toEqual(['join b']);
    expect(bench.member('b').addr).toEqual(elsewhere.addr);
  });

  it('from another address is taken at once when the owner had left', () => {
    const bench = new Alone();
    bench.alive('b');
    bench.dead('b', 1, 'b');
    expect(bench.member('b').state).toBe('left');
    expect(changes(bench.alive('b', 1, { addr: elsewhere.addr }))).toEqual(['join b']);
  });

  it('keeps the address bytes as they came', () => {
    const bench = new Alone();
    const mapped = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 127, 0, 0, 98);
    bench.alive('b', 1, { addr: mapped });
    expect(bench.member('b').addr).toEqual(mapped);
    expect(localPushPull(bench.node, false).states.find(({ name }) => name === 'b')?.addr).toEqual(mapped);
  });

  it.each([
    ['nonsense versions', { vsn: Uint8Array.of(0, 0, 0, 0, 0, 0) }],
    ['no address', { addr: undefined }],
    ['attributes that are too large', { meta: new Uint8Array(513) }],
  ])('with %s is ignored', (_, rest) => {
    const bench = new Alone();
    expect(bench.alive('b', 1, rest)).toMatchObject([{ kind: 'note' }]);
    expect(bench.node.table.size).toBe(1);
  });

  it('is ignored when the delegate or the allowed networks say so', () => {
    const refusing = new Alone({}, { aliveProblem: ({ name }) => (name === 'b' ? 'no b here' : undefined) });
    expect(refusing.alive('b')).toMatchObject([{ code: 'aliveRefused', detail: 'b: no b here' }]);
    expect(changes(refusing.alive('c'))).toEqual(['join c']);
    const closed = new Alone({ cidrsAllowed: ['127.0.0.0/25'] });
    expect(closed.alive('b', 1, { addr: Uint8Array.of(127, 0, 0, 200) })).toMatchObject([{ code: 'addressRefused' }]);
  });
});

describe('suspect', () => {
  it('about an unknown, an older incarnation or a second time changes nothing', () => {
    const bench = new Alone();
    expect(bench.suspect('b')).toEqual([]);
    bench.alive('b', 5);
    expect(bench.suspect('b', 4)).toEqual([]);
    expect(changes(bench.suspect('b', 5))).toEqual(['suspect b']);
    bench.node.queue.reset();
    expect([bench.suspect('b', 5), bench.queued]).toEqual([[], []]);
  });

  it('is broadcast, and ends in death when nobody refutes', () => {
    const bench = new Alone();
    bench.alive('b');
    bench.node.queue.reset();
    bench.suspect('b');
    expect(bench.queued).toEqual(['suspect b 1']);
    // Two members: nobody could confirm, so the minimum of 4 s counts.
    expect(changes(bench.pass(3_999))).toEqual([]);
    expect(changes(bench.pass(1))).toEqual(['leave b']);
    expect([bench.member('b').state, bench.queued]).toEqual(['dead', ['dead b 1']]);
  });

  it('is broadcast again for each new accuser, and shortens the wait', () => {
    const bench = new Alone();
    for (const name of ['b', 'c', 'd', 'e']) bench.alive(name);
    bench.suspect('b', 1, 'c');
    bench.pass(1_000);
    bench.node.queue.reset();
    bench.suspect('b', 1, 'd');
    expect(bench.queued).toEqual(['suspect b 1']);
    bench.suspect('b', 1, 'e');
    expect(changes(bench.pass(2_999))).not.toContain('leave b');
    expect(changes(bench.pass(1))).toContain('leave b');
  });

  it('confirmed after the time that this leaves is over at once, and only once', () => {
    const bench = new Alone();
    for (const name of ['b', 'c', 'd', 'e']) bench.alive(name);
    bench.suspect('b', 1, 'c');
    // 4 s with all confirmations, 24 s without: the second confirmation comes at 6 s.
    bench.suspect('b', 1, 'd');
    bench.now = 6_000;
    bench.suspect('b', 1, 'e');
    expect(changes(bench.pass(0)).filter((change) => change === 'leave b')).toHaveLength(1);
    expect(bench.suspect('b', 1, 'f')).toEqual([]);
    expect(changes(bench.pass(20_000))).not.toContain('leave b');
  });

  it('about us is refuted with a higher incarnation and costs health', () => {
    const bench = new Alone();
    bench.suspect('me', 7);
    expect(bench.member('me')).toMatchObject({ state: 'alive', incarnation: 8 });
    expect([bench.queued, bench.node.awareness.score]).toEqual([['alive me 8'], 1]);
  });
});

describe('dead', () => {
  it('about an unknown, an older incarnation or a second time changes nothing', () => {
    const bench = new Alone();
    expect(bench.dead('b')).toEqual([]);
    bench.alive('b', 5);
    expect(bench.dead('b', 4)).toEqual([]);
    expect(changes(bench.dead('b', 5))).toEqual(['leave b']);
    bench.node.queue.reset();
    expect([bench.dead('b', 9), bench.queued, bench.member('b').incarnation]).toEqual([[], [], 5]);
  });

  it('is not undone by the alive it was about', () => {
    const bench = new Alone();
    bench.alive('b');
    bench.dead('b');
    expect(bench.alive('b')).toEqual([]);
    expect(changes(bench.alive('b', 2))).toEqual(['join b']);
  });

  it('about us is refuted; when we are leaving it is how we leave', () => {
    const bench = new Alone();
    bench.alive('b');
    bench.dead('me', 1);
    expect(bench.member('me')).toMatchObject({ state: 'alive', incarnation: 2 });
    expect(bench.node.awareness.score).toBe(1);
    expect(changes(bench.run({ kind: 'leave', token: 1 }))).toEqual(['leave me']);
    expect(bench.member('me').state).toBe('left');
    expect(bench.alive('me', 9)).toEqual([]);
    expect(bench.run({ kind: 'leave', token: 2 })).toEqual([{ kind: 'broadcastDone', token: 2 }]);
  });

  it('is remembered for the time the dead are told, then forgotten', () => {
    const bench = new Alone();
    bench.alive('b');
    bench.dead('b');
    bench.pass(29_000);
    expect(bench.member('b').state).toBe('dead');
    bench.pass(5_000);
    expect(bench.node.table.get('b')).toBeUndefined();
    expect(changes(bench.alive('b', 1))).toEqual(['join b']);
  });
});
