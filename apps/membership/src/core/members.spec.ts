import { type NodeId, nodeId } from '@das/kernel';
import { checkConfig } from './beats.js';
import { initialMembers, memberOf, step } from './members.js';
import { conflictEveryMs } from './types.js';
import type { BeatFacts, Entry, MembersConfig, MembersEffect, MembersEvent, MembersState } from './types.js';

const self = nodeId('a');
const config: MembersConfig = {
  self,
  suspectMs: 3_000,
  deadMs: 5_000,
  forgetMs: 600_000,
  tickMs: 250,
  lateMs: 1_000,
  membersMax: 4,
};

/** Drives the core on virtual time, ticking as the shell does. */
class Fed {
  state: MembersState = initialMembers(config);
  now = 0;
  effects: MembersEffect[] = [];

  feed(event: MembersEvent): readonly MembersEffect[] {
    const { state, effects } = step(this.state, event, this.now);
    this.state = state;
    this.effects.push(...effects);
    return effects;
  }
  beat(node: string, facts: Partial<BeatFacts> = {}, own = false): readonly MembersEffect[] {
    const beat = { incarnation: 1, version: '1', leaving: false, ...facts, node: nodeId(node) };
    return this.feed({ kind: 'beat', beat, own });
  }
  own(facts: Partial<BeatFacts> = {}): readonly MembersEffect[] {
    return this.beat('a', facts, true);
  }
  /** Lets time pass with a tick every 250 ms. */
  pass(ms: number): this {
    for (const end = this.now + ms; this.now < end;) {
      this.now += 250;
      this.feed({ kind: 'tick' });
    }
    return this;
  }
  states(): Record<string, string> {
    return Object.fromEntries([...this.state.entries.values()].map((entry) => [entry.node, entry.state]));
  }
  entry(node: string): Entry {
    const entry = this.state.entries.get(node as NodeId);
    if (entry === undefined) throw new Error(`no ${node}`);
    return entry;
  }
  warnings(): string[] {
    return this.effects.flatMap((effect) => (effect.kind === 'warn' ? [effect.message] : []));
  }
}

const changes = (effects: readonly MembersEffect[]): string[] =>
  effects.flatMap((effect) => (effect.kind === 'changed' ? [`${effect.entry.node} ${effect.entry.state}`] : []));

describe('a silent member', () => {
  it('is suspect after 3 s and dead after 5 s, each told once', () => {
    const members = new Fed();
    expect(changes(members.beat('b'))).toEqual(['b alive']);
    members.pass(2_750);
    expect(members.states()).toEqual({ b: 'alive' });
    members.pass(250);
    expect(members.states()).toEqual({ b: 'suspect' });
    members.pass(1_750);
    expect(members.states()).toEqual({ b: 'suspect' });
    members.pass(5_000);
    expect(changes(members.effects)).toEqual(['b alive', 'b suspect', 'b dead']);
  });
  it('is alive again by one beat, suspect or dead', () => {
    const members = new Fed();
    members.beat('b');
    members.pass(3_000);
    expect(changes(members.beat('b'))).toEqual(['b alive']);
    members.pass(6_000);
    expect(members.states()).toEqual({ b: 'dead' });
    expect(changes(members.beat('b'))).toEqual(['b alive']);
  });
  it('is forgotten ten minutes after its end', () => {
    const members = new Fed();
    members.beat('b');
    members.pass(5_000 + 599_750);
    expect(members.states()).toEqual({ b: 'dead' });
    members.pass(250);
    expect(members.states()).toEqual({});
    expect(members.effects.at(-1)).toEqual({ kind: 'forgotten', node: 'b' });
  });
  it('stays alive while it speaks', () => {
    const members = new Fed();
    for (let i = 0; i < 60; i += 1) {
      members.beat('b');
      members.pass(1_000);
    }
    expect(changes(members.effects)).toEqual(['b alive']);
  });
});

describe('goodbye', () => {
  it('makes a member left at once, and is the last word of its incarnation', () => {
    const members = new Fed();
    members.beat('b');
    expect(changes(members.beat('b', { leaving: true }))).toEqual(['b left']);
    expect(members.beat('b')).toEqual([]);
    members.pass(10_000);
    expect(members.states()).toEqual({ b: 'left' });
    expect(changes(members.beat('b', { incarnation: 2 }))).toEqual(['b alive']);
  });
  it('of a node never seen is kept as left', () => {
    const members = new Fed();
    expect(changes(members.beat('b', { leaving: true }))).toEqual(['b left']);
  });
});

describe('a restarted member', () => {
  it('replaces its past life, which is told even when it was alive', () => {
    const members = new Fed();
    members.beat('b', { rest: 'http://x:1' });
    expect(changes(members.beat('b', { incarnation: 2 }))).toEqual(['b alive']);
    expect(members.entry('b')).toMatchObject({ incarnation: 2, rest: undefined });
    expect(members.beat('b', { incarnation: 1 })).toEqual([]);
    expect(members.entry('b').incarnation).toBe(2);
  });
  it('tells new attributes', () => {
    const members = new Fed();
    members.beat('b');
    expect(changes(members.beat('b', { slots: 4 }))).toEqual(['b alive']);
    expect(members.beat('b', { slots: 4 })).toEqual([]);
    expect(changes(members.beat('b', { slots: 4, rest: 'http://x:1' }))).toEqual(['b alive']);
    expect(changes(members.beat('b', { slots: 4, rest: 'http://x:1', version: '2' }))).toEqual(['b alive']);
  });
});

describe('nobody is judged by the deaf', () => {
  it('gives no verdict while the connection is lost, nor within one full timeout after it is back', () => {
    const members = new Fed();
    members.beat('b');
    members.pass(2_000).feed({ kind: 'deaf' });
    members.pass(60_000);
    expect(members.states()).toEqual({ b: 'alive' });
    members.feed({ kind: 'hearing' });
    members.pass(2_750);
    expect(members.states()).toEqual({ b: 'alive' });
    members.pass(2_250);
    expect(members.states()).toEqual({ b: 'dead' });
  });
  it('reads what came during a pause of its own before it judges', () => {
    const members = new Fed();
    members.beat('b');
    members.pass(1_000);
    members.now += 30_000;
    members.feed({ kind: 'tick' });
    expect(members.states()).toEqual({ b: 'alive' });
    members.pass(5_000);
    expect(members.states()).toEqual({ b: 'dead' });
  });
  it('judges although its timer is a little late', () => {
    const members = new Fed();
    members.beat('b');
    members.pass(2_000);
    members.now += 1_250;
    members.feed({ kind: 'tick' });
    expect(members.states()).toEqual({ b: 'suspect' });
  });
});

describe('the own node', () => {
  it('is never suspect, and left when it says goodbye', () => {
    const members = new Fed();
    expect(changes(members.own())).toEqual(['a alive']);
    members.pass(700_000);
    expect(members.states()).toEqual({ a: 'alive' });
    members.own({ leaving: true });
    members.pass(700_000);
    expect(members.states()).toEqual({ a: 'left' });
  });
  it('takes its own echo for nothing', () => {
    const members = new Fed();
    expect(members.beat('a')).toEqual([]);
    members.own();
    expect(members.beat('a')).toEqual([]);
    expect(members.state.entries.size).toBe(1);
  });
  it('warns of another process with its name, and stays itself', () => {
    const members = new Fed();
    members.own({ incarnation: 5 });
    members.beat('a', { incarnation: 6 });
    members.beat('a', { incarnation: 6 });
    expect(members.warnings()).toEqual([expect.stringContaining('two processes run as node a')]);
    expect(members.entry('a').incarnation).toBe(5);
  });
  it('does not take late words of its past life for another process', () => {
    const members = new Fed();
    members.own({ incarnation: 5 });
    members.beat('a', { incarnation: 4 });
    members.beat('a', { incarnation: 4 });
    members.beat('a', { incarnation: 4, leaving: true });
    expect(members.warnings()).toEqual([]);
    members.beat('a', { incarnation: 4 });
    expect(members.warnings()).toHaveLength(1);
  });
});

describe('two nodes with one name', () => {
  it('are warned of when the replaced one goes on speaking, once a minute', () => {
    const members = new Fed();
    members.beat('b', { incarnation: 2 });
    for (let i = 0; i < 20; i += 1) members.beat('b', { incarnation: 1 });
    expect(members.warnings()).toHaveLength(1);
    members.now += conflictEveryMs;
    for (let i = 0; i < 3; i += 1) members.beat('b', { incarnation: 1 });
    expect(members.warnings()).toHaveLength(2);
  });
});

describe('the table', () => {
  it('is bounded: the one gone for longest makes room', () => {
    const members = new Fed();
    for (const node of ['b', 'c', 'd']) members.beat(node);
    members.own();
    members.beat('d', { leaving: true });
    members.pass(1_000);
    members.beat('c', { leaving: true });
    const effects = members.beat('e');
    expect(effects[0]).toEqual({ kind: 'forgotten', node: 'd' });
    expect(members.states()).toEqual({ a: 'alive', b: 'alive', c: 'left', e: 'alive' });
  });
  it('refuses newcomers, with one warning, while all it has are here', () => {
    const members = new Fed();
    for (const node of ['b', 'c', 'd', 'e', 'f', 'f', 'g']) members.beat(node);
    expect(Object.keys(members.states())).toEqual(['b', 'c', 'd', 'e']);
    expect(members.warnings()).toEqual(['more than 4 nodes: f is not admitted']);
  });
});

describe('a member as told', () => {
  it('says for how long it has been in its state', () => {
    const members = new Fed();
    members.beat('b', { rest: 'http://x:1', slots: 2 });
    members.pass(4_000);
    expect(memberOf(members.entry('b'), members.now)).toEqual({
      node: 'b',
      state: 'suspect',
      incarnation: 1,
      version: '1',
      rest: 'http://x:1',
      slots: 2,
      sinceMs: 1_000,
    });
  });
});

it('asks for timeouts in their order', () => {
  expect(checkConfig({ suspectMs: 3_000, deadMs: 3_001 })).toBeUndefined();
  expect(checkConfig({ suspectMs: 3_000, deadMs: 3_000 })).toContain('below');
});
