import { inOrder } from '../core/codec/in-order.js';
import { encodeUser } from '../core/codec/message.js';
import { decodePacket, encodePackets } from '../core/codec/packet.js';
import type { PushPull } from '../core/codec/stream-message.js';
import { wireOverhead } from '../core/codec/wire.js';
import type { Config } from '../core/config.js';
import type { Effect } from '../core/effects.js';
import type { NodeEvent } from '../core/events.js';
import type { Hooks } from '../core/hooks.js';
import { type Node, createNode } from '../core/node.js';
import { localPushPull } from '../core/push-pull.js';
import { nextWake, step } from '../core/step.js';
import type { Address, Rng } from '../core/types.js';
import { Alarm } from './alarm.js';
import { Answerer } from './answerer.js';
import type { Carrier, ExchangeResult } from './dialler.js';
import { type ExchangeRequest, Exchanges } from './exchanges.js';
import { type EngineListener, type EngineNote, tell } from './listener.js';
import { Pending } from './pending.js';

/** Everything a node runs on. */
export interface EngineOptions extends Carrier {
  readonly config: Config;
  readonly hooks: Omit<Hooks, 'wireOverhead'>;
  readonly rng: Rng;
  readonly listener: EngineListener;
}

/** Told once how something ended: the problem, or nothing. */
export type Done = (problem?: string) => void;

const closedProblem = 'the node was closed';

/** Drives one node: gives it time, messages and chance, and performs its effects. Decides nothing; all time comes from its ports. */
export class Engine {
  readonly #node: Node;
  readonly #answerer: Answerer;
  readonly #exchanges: Exchanges;
  readonly #alarm: Alarm;
  readonly #broadcasts = new Pending<string | undefined>();
  readonly #pings = new Pending<number | undefined>();
  readonly #effects: Effect[] = [];
  #performing = false;
  #closed = false;

  constructor(private readonly options: EngineOptions) {
    const { config, hooks, wire } = options;
    this.#node = createNode(config, { ...hooks, wireOverhead: () => wireOverhead(wire) });
    this.#exchanges = new Exchanges(options);
    this.#alarm = new Alarm(options.clock, config.probeTimeoutMs / 2, {
      wake: () => this.#guarded(() => void this.#run({ kind: 'wake' })),
      paused: (lateMs) => this.#guarded(() => void this.#run({ kind: 'paused', lateMs })),
    });
    this.#answerer = new Answerer(options, {
      name: config.name,
      tcpTimeoutMs: config.tcpTimeoutMs,
      localPushPull: (join) => localPushPull(this.#node, join),
      merge: (remote) => void this.#merge(remote),
      userMessage: (payload) => this.#perform([{ kind: 'userMessage', payload }]),
      note: (note) => this.#note(note),
    });
  }

  /** What the node knows. Read only. */
  get node(): Node {
    return this.#node;
  }

  /** Announces the node at its transport's address and begins. */
  start(meta: Uint8Array): void {
    const { transport } = this.options;
    transport.listen({
      packet: (bytes, from) => this.#guarded(() => this.#packet(bytes, from)),
      stream: (stream) => {
        const handler = this.#answerer.accept(stream);
        return { data: (bytes) => this.#guarded(() => handler.data(bytes)), closed: (end) => handler.closed(end) };
      },
      problem: (detail) => this.#note({ code: 'transport', detail }),
    });
    this.#run({ kind: 'start', address: transport.address, meta });
  }

  /** Exchanges everything with the node at an address, as one who joins or as one who compares. */
  pushPull(to: Address, join: boolean, done: Done): void {
    const message = localPushPull(this.#node, join);
    this.#exchange({ to, message, deadline: this.#streamDeadline(), awaitsAnswer: true }, (result) => {
      if (!result.ok) done(result.problem);
      else if (result.answer?.kind !== 'pushPull')
        done(`expected a push/pull, got ${result.answer?.kind ?? 'nothing'}`);
      else done(this.#merge({ ...result.answer, join }));
    });
  }

  /** Tells everyone that we leave; done when that was sent often enough. */
  leave(done: Done): void {
    if (this.#closed) return done(closedProblem);
    this.#run({ kind: 'leave', token: this.#broadcasts.add(done) });
  }

  /** Tells everyone our new attributes; done when that was sent often enough. */
  update(meta: Uint8Array, done: Done): void {
    if (this.#closed) return done(closedProblem);
    this.#run({ kind: 'update', meta, token: this.#broadcasts.add(done) });
  }

  /** Measures one round trip; nothing when there is no answer within the probe timeout. */
  ping(to: Address, node: string, done: (rttMs: number | undefined) => void): void {
    if (this.#closed) return done(undefined);
    this.#run({ kind: 'ping', to, node, id: this.#pings.add(done) });
  }

  /** Sends a user message in a datagram, alone. */
  sendPacket(to: Address, payload: Uint8Array): void {
    this.#perform([{ kind: 'packet', to, messages: [encodeUser(payload)], crc: false }]);
  }

  /** Sends a user message over a stream; done when the other side has it or closed. */
  sendStream(to: Address, payload: Uint8Array, done: Done): void {
    const message = { kind: 'user', payload } as const;
    this.#exchange({ to, message, deadline: this.#streamDeadline(), awaitsAnswer: false }, (result) =>
      done(result.ok ? undefined : result.problem),
    );
  }

  /** Stops at once, silently; others find out. The transport is the caller's to close. */
  close(): void {
    this.#closed = true;
    this.#alarm.cancel();
    this.#answerer.close();
    this.#exchanges.abort();
    this.#broadcasts.settleAll(closedProblem);
    this.#pings.settleAll(undefined);
  }

  #packet(bytes: Uint8Array, from: Address): void {
    if (this.#closed) return;
    const packet = decodePacket(bytes, this.options.wire);
    for (const { code, detail } of packet.faults) this.#note({ code: `wire.${code}`, detail, peer: from });
    for (const message of inOrder(packet.messages)) this.#run({ kind: 'message', from, message });
  }

  #merge(remote: PushPull): string | undefined {
    const effects = this.#run({ kind: 'pushPull', remote });
    return effects.find((effect) => effect.kind === 'mergeRefused')?.reason;
  }

  #run(event: NodeEvent): readonly Effect[] {
    if (this.#closed) return [];
    try {
      const effects = step(this.#node, event, this.options.clock.now(), this.options.rng);
      this.#perform(effects);
      return effects;
    } finally {
      // Also after a delegate threw: a node that nothing wakes is dead to the others.
      if (!this.#closed) this.#alarm.arm(nextWake(this.#node));
    }
  }

  /** Effects of a step that an effect leads to wait for the rest of this one's: nobody hears changes out of order. */
  #perform(effects: readonly Effect[]): void {
    this.#effects.push(...effects);
    if (this.#performing) return;
    this.#performing = true;
    try {
      for (let effect = this.#effects.shift(); effect !== undefined; effect = this.#effects.shift()) {
        const next = effect;
        this.#guarded(() => this.#effect(next));
      }
    } finally {
      this.#performing = false;
    }
  }

  #effect(effect: Effect): void {
    switch (effect.kind) {
      case 'packet':
        return this.#send(effect);
      case 'streamPing':
        return this.#streamPing(effect);
      case 'pushPull':
        return this.pushPull(effect.to, false, (problem) => {
          if (problem !== undefined) this.#note({ code: 'pushPull', detail: problem, peer: effect.to });
        });
      case 'pinged':
        return this.#pings.settle(effect.id, effect.rttMs);
      case 'broadcastDone':
        return this.#broadcasts.settle(effect.token, undefined);
      default:
        return tell(this.options.listener, effect);
    }
  }

  #send({ to, messages, crc, probe }: Extract<Effect, { kind: 'packet' }>): void {
    const { transport, wire } = this.options;
    const fail = (seqNo: number): void => this.#guarded(() => void this.#run({ kind: 'sendFailed', seqNo }));
    const failed = probe === undefined ? undefined : (): void => fail(probe);
    for (const datagram of encodePackets(messages, crc, wire)) transport.sendPacket(to, datagram, failed);
  }

  #streamPing({ to, node, seqNo, deadline }: Extract<Effect, { kind: 'streamPing' }>): void {
    const { addr, port, name } = this.#node.self;
    const message = { kind: 'ping', seqNo, node, sourceAddr: addr, sourcePort: port, sourceNode: name } as const;
    this.#exchange({ to, message, deadline, awaitsAnswer: true }, (result) => {
      const answered = result.ok && result.answer?.kind === 'ack' && result.answer.seqNo === seqNo;
      this.#run({ kind: 'streamPinged', seqNo, answered });
    });
  }

  #exchange(request: ExchangeRequest, done: (result: ExchangeResult) => void): void {
    if (this.#closed) return done({ ok: false, problem: closedProblem });
    this.#exchanges.begin(request, (result) => this.#guarded(() => done(result)));
  }

  #streamDeadline(): number {
    return this.options.clock.now() + this.options.config.tcpTimeoutMs;
  }

  #note(note: EngineNote): void {
    try {
      this.options.listener.note(note);
    } catch {
      // Whoever would be told is the one that throws.
    }
  }

  /** A fault of ours or of a listener must not end the node: it becomes a note. */
  #guarded(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#note({ code: 'internal', detail: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
  }
}
