import { compoundOverhead } from '../core/codec/compound.js';
import { crcOverhead } from '../core/codec/crc.js';
import type { Rng } from '../core/types.js';
import type { VirtualTime } from '../memory/virtual-clock.js';

/** What was sent so far, by all members together. Bytes are payload: IP, UDP and TCP headers come on top. */
export interface Traffic {
  readonly datagrams: number;
  readonly datagramBytes: number;
  readonly streams: number;
  readonly streamBytes: number;
}

/** Longest way of a datagram, ms; each takes a random part of it. */
const latencyMs = 1;
/** First retransmission of a connection request (RFC 6298 §2.1), ms; each further one doubles. */
const handshakeRetryMs = 1_000;
/** Smallest retransmission timeout of data on Linux, ms; each further one doubles. */
const dataRetryMs = 200;
/** After this many retransmissions a stream is given up. */
const retriesMax = 5;

/** A network for many members: datagrams that get lost, streams that get slow instead. */
export class FleetNetwork {
  #traffic = { datagrams: 0, datagramBytes: 0, streams: 0, streamBytes: 0 };
  /** Share of packets that vanish, 0 to below 1. */
  loss = 0;

  constructor(
    readonly time: VirtualTime,
    private readonly rng: Rng,
  ) {}

  get traffic(): Traffic {
    return { ...this.#traffic };
  }

  /** Sends messages as one datagram, uncompressed; `arrive` is called unless it is lost. */
  datagram(messages: readonly Uint8Array[], crc: boolean, arrive: () => void): void {
    this.#traffic.datagrams++;
    this.#traffic.datagramBytes += packetBytes(messages, crc);
    if (!this.#isLost()) this.time.at(this.time.now + this.#latency(), arrive);
  }

  /** Opens a stream; gives the way there and back, each to be used once. Loss delays it as it delays TCP. */
  stream(bytes: number): { readonly there: number; readonly back: number } | undefined {
    this.#traffic.streams++;
    this.#traffic.streamBytes += bytes;
    const handshake = this.#retried(2, handshakeRetryMs);
    const there = this.#retried(1, dataRetryMs);
    const back = this.#retried(1, dataRetryMs);
    if (handshake === undefined || there === undefined || back === undefined) return undefined;
    return { there: handshake + there, back };
  }

  /** Time until packets came through one after the other; nothing when it takes too many tries. */
  #retried(packets: number, retryMs: number): number | undefined {
    let took = 0;
    for (let retry = 0; retry <= retriesMax; retry++) {
      let lost = false;
      for (let i = 0; i < packets; i++) lost = this.#isLost() || lost;
      if (!lost) return took + packets * this.#latency();
      took += retryMs * 2 ** retry;
    }
    return undefined;
  }

  #isLost(): boolean {
    return this.loss > 0 && this.rng() < this.loss;
  }

  #latency(): number {
    return this.rng() * latencyMs;
  }
}

/** Size of a datagram as the codec would make it, without compression, encryption and label. */
function packetBytes(messages: readonly Uint8Array[], crc: boolean): number {
  let bytes = crc ? crcOverhead : 0;
  for (const message of messages) bytes += message.length;
  if (messages.length > 1) bytes += compoundOverhead.header + messages.length * compoundOverhead.part;
  return bytes;
}
