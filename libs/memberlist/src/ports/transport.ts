import type { Address } from '../core/types.js';

/** What a stream tells its user. Nothing comes after `closed`, which comes exactly once. */
export interface StreamHandler {
  /** A chunk, of any size. */
  data(bytes: Uint8Array): void;
  /** The other side ended it, or it failed: then with the reason. `refused`: it never came to be. */
  closed(end: { readonly reason?: string; readonly refused?: boolean }): void;
}

/** One end of a reliable stream of bytes. */
export interface Stream {
  readonly remote: Address;
  /** Queues bytes; before the stream is open they wait. */
  send(bytes: Uint8Array): void;
  /** Ends our side once all is sent; nothing is heard from this stream afterwards. */
  close(): void;
  /** Drops it at once, sent or not; nothing is heard from this stream afterwards. */
  abort(): void;
}

/** What comes in from others. */
export interface TransportHandler {
  packet(bytes: Uint8Array, from: Address): void;
  /** Someone opened a stream. */
  stream(stream: Stream): StreamHandler;
  /** Something is wrong with the sockets; they go on as well as they can. */
  problem(detail: string): void;
}

/** Datagrams that may be lost, doubled or come late, and streams; both at one address. */
export interface Transport {
  /** Where others reach us. */
  readonly address: Address;
  /** Once: from now on what comes in is told. */
  listen(handler: TransportHandler): void;
  /** Sends a datagram. `failed` is called later when the network refused it; silence promises nothing. */
  sendPacket(to: Address, bytes: Uint8Array, failed?: (reason: string) => void): void;
  dial(to: Address, handler: StreamHandler): Stream;
  /** Ends everything; resolves when the address is free again. Idempotent. */
  close(): Promise<void>;
}
