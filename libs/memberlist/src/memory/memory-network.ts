import { formatAddress } from '../core/address.js';
import type { Address, Rng } from '../core/types.js';
import type { Stream, StreamHandler, Transport, TransportHandler } from '../ports/transport.js';
import type { VirtualClock, VirtualTime } from './virtual-clock.js';

/** What happens to one datagram or chunk on its way. */
export interface Faults {
  /** Neither datagrams nor streams pass. */
  readonly blocked?: (from: Address, to: Address) => boolean;
  /** Datagrams do not pass; streams do. */
  readonly datagramsBlocked?: (from: Address, to: Address) => boolean;
  /** Share of datagrams that vanish, 0 to 1. */
  readonly loss?: number;
  /** Share of datagrams that arrive twice. */
  readonly duplicates?: number;
  /** Share of datagrams of which one byte is changed. */
  readonly corruption?: number;
  /** Longest way, ms; each datagram takes a random part of it. */
  readonly latencyMs?: number;
}

/** Bytes and datagrams that were sent. */
export interface Traffic {
  datagrams: number;
  bytes: number;
}

/** A network in one process on virtual time. Everything arrives later, never from inside a call; the same seed gives the same run. */
export class MemoryNetwork {
  readonly #endpoints = new Map<string, MemoryTransport>();
  readonly traffic: Traffic = { datagrams: 0, bytes: 0 };
  /** May be replaced at any time. */
  faults: Faults = {};

  constructor(
    readonly time: VirtualTime,
    private readonly rng: Rng,
  ) {}

  /** Binds an address; one that is taken is refused. */
  bind(address: Address, clock: VirtualClock): MemoryTransport {
    const key = formatAddress(address);
    if (this.#endpoints.has(key)) throw new RangeError(`address in use: ${key}`);
    const transport = new MemoryTransport(this, address, clock);
    this.#endpoints.set(key, transport);
    return transport;
  }

  /** @internal */
  release(address: Address): void {
    this.#endpoints.delete(formatAddress(address));
  }

  /** @internal */
  find(address: Address): MemoryTransport | undefined {
    return this.#endpoints.get(formatAddress(address));
  }

  /** @internal Whether streams between the two come to be. */
  isBlocked(from: Address, to: Address): boolean {
    return this.faults.blocked?.(from, to) === true;
  }

  /** @internal A random part of the longest way. */
  latency(): number {
    return this.rng() * (this.faults.latencyMs ?? 1);
  }

  /** @internal */
  datagram(from: Address, to: Address, bytes: Uint8Array): void {
    this.traffic.datagrams++;
    this.traffic.bytes += bytes.length;
    const { datagramsBlocked, loss = 0, duplicates = 0, corruption = 0 } = this.faults;
    if (this.isBlocked(from, to) || datagramsBlocked?.(from, to) === true) return;
    if (loss > 0 && this.rng() < loss) return;
    const copies = duplicates > 0 && this.rng() < duplicates ? 2 : 1;
    for (let i = 0; i < copies; i++) {
      const copy = bytes.slice();
      if (corruption > 0 && this.rng() < corruption) copy[Math.floor(this.rng() * copy.length)] = this.rng() * 256;
      this.time.at(this.time.now + this.latency(), () => this.find(to)?.receive(copy, from));
    }
  }
}

/** One address of a {@link MemoryNetwork}. */
export class MemoryTransport implements Transport {
  #handler: TransportHandler | undefined;
  readonly #ends = new Set<MemoryStream>();

  constructor(
    private readonly network: MemoryNetwork,
    readonly address: Address,
    readonly clock: VirtualClock,
  ) {}

  listen(handler: TransportHandler): void {
    this.#handler = handler;
  }

  sendPacket(to: Address, bytes: Uint8Array): void {
    this.network.datagram(this.address, to, bytes);
  }

  dial(to: Address, handler: StreamHandler): Stream {
    const near = this.#end(to, handler);
    // Blocked: nobody answers, not even with a refusal.
    if (this.network.isBlocked(this.address, to)) return near;
    near.later(() => {
      const remote = this.network.find(to);
      if (remote === undefined) near.receiveEnd({ reason: 'connection refused', refused: true });
      else remote.clock.deliver(() => remote.accept(near));
    });
    return near;
  }

  close(): Promise<void> {
    this.network.release(this.address);
    for (const end of [...this.#ends]) end.close();
    this.#handler = undefined;
    return Promise.resolve();
  }

  /** @internal */
  receive(bytes: Uint8Array, from: Address): void {
    this.clock.deliver(() => this.#handler?.packet(bytes, from));
  }

  /** @internal */
  accept(far: MemoryStream): void {
    if (this.#handler === undefined) return far.receiveEnd({ reason: 'connection refused', refused: true });
    const near = this.#end(far.owner);
    near.connect(far);
    near.handler = this.#handler.stream(near);
    far.connect(near);
  }

  #end(remote: Address, handler?: StreamHandler): MemoryStream {
    const end: MemoryStream = new MemoryStream(this.network, this, remote, () => this.#ends.delete(end));
    end.handler = handler;
    this.#ends.add(end);
    return end;
  }
}

/** One end of a stream in memory. Chunks keep their order, whatever their latency. */
class MemoryStream implements Stream {
  handler: StreamHandler | undefined;
  #peer: MemoryStream | undefined;
  #unsent: Uint8Array[] = [];
  #closing = false;
  #ended = false;
  #lastArrival = 0;

  constructor(
    private readonly network: MemoryNetwork,
    private readonly transport: MemoryTransport,
    readonly remote: Address,
    private readonly gone: () => void,
  ) {}

  get owner(): Address {
    return this.transport.address;
  }

  send(bytes: Uint8Array): void {
    if (this.#closing) return;
    const copy = bytes.slice();
    const peer = this.#peer;
    if (peer === undefined) this.#unsent.push(copy);
    else this.later(() => peer.receive(copy));
  }

  close(): void {
    this.#close({});
  }

  abort(): void {
    this.#close({ reason: 'connection reset' });
  }

  /** The other end exists: what waited is sent. */
  connect(peer: MemoryStream): void {
    this.#peer = peer;
    for (const bytes of this.#unsent.splice(0)) this.later(() => peer.receive(bytes));
    if (this.#closing) this.later(() => peer.receiveEnd({}));
  }

  #close(end: { reason?: string }): void {
    if (this.#closing) return;
    this.#closing = true;
    this.handler = undefined;
    this.gone();
    const peer = this.#peer;
    if (peer !== undefined) this.later(() => peer.receiveEnd(end));
  }

  /** After everything sent before. */
  later(deliver: () => void): void {
    const { time } = this.network;
    this.#lastArrival = Math.max(this.#lastArrival, time.now + this.network.latency());
    time.at(this.#lastArrival, deliver);
  }

  receive(bytes: Uint8Array): void {
    if (this.network.isBlocked(this.remote, this.owner)) return;
    this.transport.clock.deliver(() => this.handler?.data(bytes));
  }

  receiveEnd(end: { reason?: string; refused?: boolean }): void {
    if (this.#ended) return;
    this.#ended = true;
    this.gone();
    this.transport.clock.deliver(() => this.handler?.closed(end));
  }
}
