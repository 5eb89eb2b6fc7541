import { type MapMessage, type Message, decodeMessage } from './codec/message.js';
import { type Config, lanConfig } from './config.js';
import type { Effect } from './effects.js';
import type { Hooks } from './hooks.js';
import { type Node, createNode } from './node.js';
import { seededRng } from './random.js';
import { nextWake, step } from './step.js';
import type { Address } from './types.js';

/** Versions that all test peers tell. */
export const vsn = Uint8Array.of(1, 5, 2, 0, 0, 0);
/** Address of a peer. */
export const at = (last: number): Address => ({ addr: Uint8Array.of(127, 0, 0, last), port: 7946 });
const from = at(200);

/** One datagram of the node under test. */
export interface Sent {
  readonly to: number;
  readonly messages: readonly Message[];
  readonly at: number;
  readonly crc: boolean;
}

/** A node called `me` at 127.0.0.1 with silent peers p2, p3 … at 127.0.0.2, 3 …; the test answers for them. */
export class Bench {
  readonly node: Node;
  readonly sent: Sent[] = [];
  readonly effects: Effect[] = [];
  readonly #rng = seededRng(9);
  now = 0;

  constructor(peers: number, config: Partial<Config> = {}, hooks: Hooks = {}, peerVsn = vsn) {
    const quiet = { gossipIntervalMs: 0, pushPullIntervalMs: 0 };
    this.node = createNode({ ...lanConfig, name: 'me', ...quiet, ...config }, hooks);
    this.run({ kind: 'start', address: at(1), meta: new Uint8Array(0) });
    for (let i = 2; i < peers + 2; i++) {
      this.hear({ kind: 'alive', node: `p${i}`, incarnation: 1, ...at(i), meta: undefined, vsn: peerVsn });
    }
    this.node.queue.reset();
  }

  run(event: Parameters<typeof step>[1]): void {
    for (const effect of step(this.node, event, this.now, this.#rng)) {
      this.effects.push(effect);
      if (effect.kind !== 'packet') continue;
      const messages = effect.messages
        .map((bytes) => decodeMessage(bytes))
        .flatMap((decoded) => (decoded.ok ? [decoded.value] : []));
      this.sent.push({ to: effect.to.addr[3] ?? 0, messages, at: this.now, crc: effect.crc });
    }
  }

  hear(message: MapMessage, sender: Address = from): void {
    this.run({ kind: 'message', from: sender, message });
  }

  pass(ms: number): void {
    const until = this.now + ms;
    for (let next = nextWake(this.node); next !== undefined && next <= until; next = nextWake(this.node)) {
      this.now = Math.max(this.now, next);
      this.run({ kind: 'wake' });
    }
    this.now = until;
  }

  /** Goes on until a probe begins; gives its ping. */
  untilPing(): Sent & { readonly seqNo: number } {
    for (let waited = 0; waited < 10_000; waited++) {
      const began = this.sent.length;
      this.pass(1);
      const ping = this.sent.slice(began).find(({ messages }) => messages[0]?.kind === 'ping');
      if (ping !== undefined && ping.messages[0]?.kind === 'ping') return { ...ping, seqNo: ping.messages[0].seqNo };
    }
    throw new Error('no ping');
  }

  state(peer: number): string | undefined {
    return this.node.table.get(`p${peer}`)?.state;
  }

  get score(): number {
    return this.node.awareness.score;
  }

  /** Kinds of the messages sent since, with their receivers. */
  sentSince(index: number): string[] {
    return this.sent.slice(index).map(({ to, messages }) => `${messages.map(({ kind }) => kind).join('+')} → ${to}`);
  }
}
