import { encodeUser } from '../core/codec/message.js';
import { type DecodedPacket, decodePacket, encodePackets } from '../core/codec/packet.js';
import type { PushPull, StreamMessage } from '../core/codec/stream-message.js';
import { wireOverhead } from '../core/codec/wire.js';
import type { Config } from '../core/config.js';
import type { Effect } from '../core/effects.js';
import type { NodeEvent } from '../core/events.js';
import type { Hooks } from '../core/hooks.js';
import { type Node, createNode } from '../core/node.js';
import { localPushPull } from '../core/push-pull.js';
import { nextWake, step } from '../core/step.js';
import type { Address, Rng } from '../core/types.js';
import type { Cancel } from '../ports/clock.js';
import { Answerer } from './answerer.js';
import { type Carrier, Exchange, type ExchangeResult } from './dialler.js';
import type { EngineListener, EngineNote } from './listener.js';

/** Everything a node runs on. */
export interface EngineOptions extends Carrier {
  readonly config: Config;
  readonly hooks: Omit<Hooks, 'wireOverhead'>;
  readonly rng: Rng;
  readonly listener: EngineListener;
}

/** Told once how something ended: the problem, or nothing. */
export type Done = (problem?: string) => void;

/** Drives one node: gives it time, messages and chance, and performs its effects. Decides nothing; all time comes from its ports. */
export class Engine {
  readonly #node: Node;
  readonly #answerer: Answerer;
  readonly #exchanges = new Set<Exchange>();
  readonly #waiting = new Map<number, Done>();
  readonly #pings = new Map<number, (rttMs: number | undefined) => void>();
  readonly #effects: Effect[] = [];
  #performing = false;
  #nextToken = 1;
  #cancelWake: Cancel = () => undefined;
  #armedFor: number | undefined;
  #draining = false;
  #closed = false;

  constructor(private readonly options: EngineOptions) {
    const { config, hooks, wire } = options;
    this.#node = createNode(config, { ...hooks, wireOverhead: () => wireOverhead(wire) });
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
    const { config } = this.options;
    this.exchange(to, localPushPull(this.#node, join), this.#deadline(config.tcpTimeoutMs), true, (result) => {
      if (!result.ok) done(result.problem);
      else if (result.answer?.kind !== 'pushPull')
        done(`expected a push/pull, got ${result.answer?.kind ?? 'nothing'}`);
      else done(this.#merge({ ...result.answer, join }));
    });
  }

  /** Tells everyone that we leave; done when that was sent often enough. */
  leave(done: Done): void {
    this.#run({ kind: 'leave', token: this.#token(done) });
  }

  /** Tells everyone our new attributes; done when that was sent often enough. */
  update(meta: Uint8Array, done: Done): void {
    this.#run({ kind: 'update', meta, token: this.#token(done) });
  }

  /** Measures one round trip; nothing when there is no answer within the probe timeout. */
  ping(to: Address, node: string, done: (rttMs: number | undefined) => void): void {
    const id = this.#nextToken++;
    this.#pings.set(id, done);
    this.#run({ kind: 'ping', to, node, id });
  }

  /** Sends a user message in a datagram, alone. */
  sendPacket(to: Address, payload: Uint8Array): void {
    this.#perform([{ kind: 'packet', to, messages: [encodeUser(payload)], crc: false }]);
  }

  /** Sends a user message over a stream; done when the other side has it or closed. */
  sendStream(to: Address, payload: Uint8Array, done: Done): void {
    const deadline = this.#deadline(this.options.config.tcpTimeoutMs);
    this.exchange(to, { kind: 'user', payload }, deadline, false, (result) =>
      done(result.ok ? undefined : result.problem),
    );
  }

  /** One exchange over a stream. */
  exchange(
    to: Address,
    message: StreamMessage,
    deadline: number,
    awaitsAnswer: boolean,
    done: (result: ExchangeResult) => void,
  ): void {
    const exchange: Exchange = new Exchange(this.options, to, message, deadline, awaitsAnswer, (result) => {
      this.#exchanges.delete(exchange);
      this.#guarded(() => done(result));
    });
    this.#exchanges.add(exchange);
  }

  /** Stops at once, silently; others find out. The transport is the caller's to close. */
  close(): void {
    this.#closed = true;
    this.#cancelWake();
    this.#answerer.close();
    for (const exchange of [...this.#exchanges]) exchange.abort();
    for (const [token, done] of [...this.#waiting]) {
      this.#waiting.delete(token);
      done('the node was closed');
    }
    for (const done of this.#pings.values()) done(undefined);
    this.#pings.clear();
  }

  #packet(bytes: Uint8Array, from: Address): void {
    if (this.#closed) return;
    const packet: DecodedPacket = decodePacket(bytes, this.options.wire);
    for (const { code, detail } of packet.faults) this.#note({ code: `wire.${code}`, detail, peer: from });
    // Who is alive comes first: what else a packet says may be about them.
    const alive = packet.messages.filter((message) => message.kind === 'alive');
    const others = packet.messages.filter((message) => message.kind !== 'alive');
    for (const message of [...alive, ...others]) this.#run({ kind: 'message', from, message });
  }

  #merge(remote: PushPull): string | undefined {
    const effects = this.#run({ kind: 'pushPull', remote });
    return effects.find((effect) => effect.kind === 'mergeRefused')?.reason;
  }

  #run(event: NodeEvent): readonly Effect[] {
    if (this.#closed) return [];
    const effects = step(this.#node, event, this.options.clock.now(), this.options.rng);
    this.#perform(effects);
    this.#arm();
    return effects;
  }

  /** Effects of a step that an effect leads to wait for the rest of this one's: nobody hears changes out of order. */
  #perform(effects: readonly Effect[]): void {
    this.#effects.push(...effects);
    if (this.#performing) return;
    this.#performing = true;
    for (let effect = this.#effects.shift(); effect !== undefined; effect = this.#effects.shift()) {
      const next = effect;
      this.#guarded(() => this.#effect(next));
    }
    this.#performing = false;
  }

  #effect(effect: Effect): void {
    const { listener } = this.options;
    switch (effect.kind) {
      case 'packet':
        return this.#send(effect);
      case 'streamPing':
        return this.#streamPing(effect);
      case 'pushPull':
        return this.pushPull(effect.to, false, (problem) => {
          if (problem !== undefined) this.#note({ code: 'pushPull', detail: problem, peer: effect.to });
        });
      case 'member':
        return listener.member(effect.change, effect.member);
      case 'conflict':
        return listener.conflict(effect.existing, effect.other);
      case 'userMessage':
        return listener.userMessage(effect.payload);
      case 'remoteState':
        return listener.remoteState(effect.payload, effect.join);
      case 'probed':
        return listener.probed(effect.member, effect.rttMs, effect.payload);
      case 'pinged':
        this.#pings.get(effect.id)?.(effect.rttMs);
        this.#pings.delete(effect.id);
        return;
      case 'broadcastDone':
        this.#waiting.get(effect.token)?.();
        this.#waiting.delete(effect.token);
        return;
      case 'mergeRefused':
        return this.#note({ code: 'mergeRefused', detail: effect.reason });
      case 'note':
        return this.#note(effect);
    }
  }

  #send({ to, messages, crc, probe }: Extract<Effect, { kind: 'packet' }>): void {
    const { transport, wire } = this.options;
    const failed = probe === undefined ? undefined : (): void => void this.#run({ kind: 'sendFailed', seqNo: probe });
    for (const datagram of encodePackets(messages, crc, wire)) transport.sendPacket(to, datagram, failed);
  }

  #streamPing({ to, node, seqNo, deadline }: Extract<Effect, { kind: 'streamPing' }>): void {
    const { addr, port, name } = this.#node.self;
    const ping = { kind: 'ping', seqNo, node, sourceAddr: addr, sourcePort: port, sourceNode: name } as const;
    this.exchange(to, ping, deadline, true, (result) => {
      const answered = result.ok && result.answer?.kind === 'ack' && result.answer.seqNo === seqNo;
      this.#run({ kind: 'streamPinged', seqNo, answered });
    });
  }

  #arm(): void {
    const at = nextWake(this.#node);
    if (this.#draining || at === undefined || at === this.#armedFor) return;
    this.#cancelWake();
    this.#armedFor = at;
    this.#cancelWake = this.options.clock.at(at, () => this.#wake(at));
  }

  /** A late call means that our process stood still. The answers may be waiting: they are read before anything is concluded. */
  #wake(planned: number): void {
    this.#armedFor = undefined;
    const lateMs = this.options.clock.now() - planned;
    if (lateMs <= this.options.config.probeTimeoutMs / 2) {
      this.#run({ kind: 'wake' });
      return;
    }
    this.#draining = true;
    this.#run({ kind: 'paused', lateMs });
    this.options.clock.drain(() => {
      this.#draining = false;
      this.#run({ kind: 'wake' });
    });
  }

  #deadline(timeoutMs: number): number {
    return this.options.clock.now() + timeoutMs;
  }

  #token(done: Done): number {
    const token = this.#nextToken++;
    this.#waiting.set(token, done);
    return token;
  }

  #note(note: EngineNote): void {
    this.options.listener.note(note);
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
