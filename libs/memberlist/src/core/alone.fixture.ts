import { type MapMessage, type MessageOf, decodeMessage } from './codec/message.js';
import { type Config, lanConfig } from './config.js';
import type { Effect } from './effects.js';
import type { Hooks } from './hooks.js';
import { type Node, createNode } from './node.js';
import { seededRng } from './random.js';
import { nextWake, step } from './step.js';
import type { Address, Member } from './types.js';

export const vsn = Uint8Array.of(1, 5, 2, 0, 0, 0);
export const at = (last: number): Address => ({ addr: Uint8Array.of(127, 0, 0, last), port: 7946 });
export const elsewhere = at(99);

/** One node called `me` that nobody but the test talks to. */
export class Alone {
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

export const changes = (effects: readonly Effect[]): string[] =>
  effects.flatMap((effect) => (effect.kind === 'member' ? [`${effect.change} ${effect.member.name}`] : []));
