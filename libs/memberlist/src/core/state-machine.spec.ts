import { ascii } from '../golden.fixture.js';
import { type MapMessage, type MessageOf, decodeMessage } from './codec/message.js';
import type { NodeState } from './codec/stream-message.js';
import { type Config, lanConfig } from './config.js';
import type { Effect } from './effects.js';
import type { Hooks } from './hooks.js';
import { type Node, createNode } from './node.js';
import { localPushPull } from './push-pull.js';
import { seededRng } from './random.js';
import { nextWake, step } from './step.js';
import type { Address, Member } from './types.js';

const vsn = Uint8Array.of(1, 5, 2, 0, 0, 0);
const at = (last: number): Address => ({ addr: Uint8Array.of(127, 0, 0, last), port: 7946 });
const elsewhere = at(99);

/** One node called `me` that nobody but the test talks to. */
class Bench {
  readonly node: Node;
  readonly #rng = seededRng(1);
  now = 0;

  constructor(config: Partial<Config> = {}, hooks: Hooks = {}) {
    this.node = createNode({ ...lanConfig, name: 'me', gossipIntervalMs: 0, pushPullIntervalMs: 0, ...config }, hooks);
    step(this.node, { kind: 'start', address: at(1), meta: new Uint8Array(0) }, 0, this.#rng);
    this.node.queue.reset();
  }

  hear(message: MapMessage): Effect[] {
    return step(this.node, { kind: 'message', from: elsewhere, message }, this.now, this.#rng);
  }

  alive(node: string, incarnation = 1, rest: Partial<MessageOf<'alive'>> = {}): Effect[] {
    const { addr, port } = at(node === 'me' ? 1 : node.charCodeAt(0));
    return this.hear({ kind: 'alive', node, incarnation, addr, port, meta: undefined, vsn, ...rest });
  }

  suspect(node: string, incarnation = 1, from = 'x'): Effect[] {
    return this.hear({ kind: 'suspect', node, incarnation, from });
  }

  dead(node: string, incarnation = 1, from = 'x'): Effect[] {
    return this.hear({ kind: 'dead', node, incarnation, from });
  }

  run(event: Parameters<typeof step>[1]): Effect[] {
    return step(this.node, event, this.now, this.#rng);
  }

  /** Lets time pass, waking the node whenever it asks for it. */
  pass(ms: number): Effect[] {
    const until = this.now + ms;
    const effects: Effect[] = [];
    for (let next = nextWake(this.node); next !== undefined && next <= until; next = nextWake(this.node)) {
      this.now = Math.max(this.now, next);
      effects.push(...this.run({ kind: 'wake' }));
    }
    this.now = until;
    return effects;
  }

  member(name: string): Member {
    const member = this.node.table.get(name);
    if (member === undefined) throw new Error(`no ${name}`);
    return member;
  }

  /** Kinds of what is queued, with the node and incarnation it is about. */
  get queued(): string[] {
    return this.node.queue.ordered.map(({ message }) => {
      const decoded = decodeMessage(message);
      if (!decoded.ok || !('incarnation' in decoded.value)) throw new Error('unexpected broadcast');
      return `${decoded.value.kind} ${decoded.value.node} ${decoded.value.incarnation}`;
    });
  }
}

const changes = (effects: readonly Effect[]): string[] =>
  effects.flatMap((effect) => (effect.kind === 'member' ? [`${effect.change} ${effect.member.name}`] : []));

describe('alive', () => {
  it('adds an unknown node, tells and broadcasts it', () => {
    const bench = new Bench();
    expect(changes(bench.alive('b'))).toEqual(['join b']);
    expect(bench.member('b')).toMatchObject({ state: 'alive', incarnation: 1, vsn, stateChange: 0 });
    expect(bench.queued).toEqual(['alive b 1']);
  });

  it('is idempotent: the same again changes nothing, not even the time', () => {
    const bench = new Bench();
    bench.alive('b');
    bench.node.queue.reset();
    bench.now = 500;
    expect(bench.alive('b')).toEqual([]);
    expect([bench.member('b').stateChange, bench.queued]).toEqual([0, []]);
    bench.alive('b', 2);
    expect(bench.member('b')).toMatchObject({ incarnation: 2, stateChange: 0 });
  });

  it('clears a suspicion only with a higher incarnation, and is no join then', () => {
    const bench = new Bench();
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
    const bench = new Bench({ probeIntervalMs: 3_000 });
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
    const bench = new Bench();
    bench.alive('b');
    expect(changes(bench.alive('b', 2, { meta: ascii('new') }))).toEqual(['update b']);
  });

  it('about us with other attributes is refuted and ours are kept', () => {
    const bench = new Bench();
    bench.alive('me', 2, { meta: ascii('wrong') });
    expect(bench.member('me')).toMatchObject({ incarnation: 3, meta: new Uint8Array(0) });
    expect([bench.queued, bench.node.awareness.score]).toEqual([['alive me 3'], 1]);
  });

  it('from another address is a conflict, until the name is free', () => {
    const bench = new Bench({ deadNodeReclaimMs: 1_000 });
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
    const bench = new Bench();
    bench.alive('b');
    bench.dead('b', 1, 'b');
    expect(bench.member('b').state).toBe('left');
    expect(changes(bench.alive('b', 1, { addr: elsewhere.addr }))).toEqual(['join b']);
  });

  it('keeps the address bytes as they came', () => {
    const bench = new Bench();
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
    const bench = new Bench();
    expect(bench.alive('b', 1, rest)).toMatchObject([{ kind: 'note' }]);
    expect(bench.node.table.size).toBe(1);
  });

  it('is ignored when the delegate or the allowed networks say so', () => {
    const refusing = new Bench({}, { aliveProblem: ({ name }) => (name === 'b' ? 'no b here' : undefined) });
    expect(refusing.alive('b')).toMatchObject([{ code: 'aliveRefused', detail: 'b: no b here' }]);
    expect(changes(refusing.alive('c'))).toEqual(['join c']);
    const closed = new Bench({ cidrsAllowed: ['127.0.0.0/25'] });
    expect(closed.alive('b', 1, { addr: Uint8Array.of(127, 0, 0, 200) })).toMatchObject([{ code: 'addressRefused' }]);
  });
});

describe('suspect', () => {
  it('about an unknown, an older incarnation or a second time changes nothing', () => {
    const bench = new Bench();
    expect(bench.suspect('b')).toEqual([]);
    bench.alive('b', 5);
    expect(bench.suspect('b', 4)).toEqual([]);
    expect(changes(bench.suspect('b', 5))).toEqual(['suspect b']);
    bench.node.queue.reset();
    expect([bench.suspect('b', 5), bench.queued]).toEqual([[], []]);
  });

  it('is broadcast, and ends in death when nobody refutes', () => {
    const bench = new Bench();
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
    const bench = new Bench();
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

  it('about us is refuted with a higher incarnation and costs health', () => {
    const bench = new Bench();
    bench.suspect('me', 7);
    expect(bench.member('me')).toMatchObject({ state: 'alive', incarnation: 8 });
    expect([bench.queued, bench.node.awareness.score]).toEqual([['alive me 8'], 1]);
  });
});

describe('dead', () => {
  it('about an unknown, an older incarnation or a second time changes nothing', () => {
    const bench = new Bench();
    expect(bench.dead('b')).toEqual([]);
    bench.alive('b', 5);
    expect(bench.dead('b', 4)).toEqual([]);
    expect(changes(bench.dead('b', 5))).toEqual(['leave b']);
    bench.node.queue.reset();
    expect([bench.dead('b', 9), bench.queued, bench.member('b').incarnation]).toEqual([[], [], 5]);
  });

  it('is not undone by the alive it was about', () => {
    const bench = new Bench();
    bench.alive('b');
    bench.dead('b');
    expect(bench.alive('b')).toEqual([]);
    expect(changes(bench.alive('b', 2))).toEqual(['join b']);
  });

  it('about us is refuted; when we are leaving it is how we leave', () => {
    const bench = new Bench();
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
    const bench = new Bench();
    bench.alive('b');
    bench.dead('b');
    bench.pass(29_000);
    expect(bench.member('b').state).toBe('dead');
    bench.pass(5_000);
    expect(bench.node.table.get('b')).toBeUndefined();
    expect(changes(bench.alive('b', 1))).toEqual(['join b']);
  });
});

describe('new attributes of ours', () => {
  it('are an alive of the next incarnation, done at once when nobody is there to hear it', () => {
    const bench = new Bench();
    const effects = bench.run({ kind: 'update', meta: ascii('new'), token: 7 });
    expect(bench.member('me')).toMatchObject({ incarnation: 2, meta: ascii('new') });
    expect([changes(effects), effects.at(-1)]).toEqual([['update me'], { kind: 'broadcastDone', token: 7 }]);
    bench.alive('b');
    expect(bench.run({ kind: 'update', meta: ascii('newer'), token: 8 }).map(({ kind }) => kind)).toEqual(['member']);
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
    const bench = new Bench();
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
    const bench = new Bench({}, { mergeProblem: () => 'not with you' });
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
    const bench = new Bench();
    bench.alive('b');
    while (bench.node.probe === undefined) bench.pass(10);
    bench.now += 30_000;
    bench.run({ kind: 'paused', lateMs: 29_000 });
    const effects = bench.run({ kind: 'wake' });
    expect(changes(effects)).toEqual([]);
    expect([bench.member('b').state, bench.node.awareness.score]).toEqual(['alive', 1]);
  });
});
