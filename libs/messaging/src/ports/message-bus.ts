import type { Cancel } from '@das/kernel';

/** Travels in message headers (`das-*`, and W3C `traceparent`); the payload stays the raw bytes. */
export interface Envelope {
  /** Unique per message; a repeated request keeps its id. */
  readonly id: string;
  /** The operation's or announcement's name. */
  readonly type: string;
  /** `<node>/<service>` of the sender; `?` for a plain client. */
  readonly from: string;
  readonly sentAt: number;
  /** New at every start of the sender; together with `seq` it orders announcements of one sender on one subject. */
  readonly epoch?: string;
  /** 1, 2, 3 … per sender, epoch and subject. */
  readonly seq?: number;
  readonly traceparent?: string;
  readonly causedBy?: string;
}

/** One message. With `bodyBytes`, the payload is that many bytes of JSON followed by raw bytes; without, all of it is JSON (or raw, as the receiver knows). */
export interface BusMessage {
  readonly subject: string;
  readonly envelope: Partial<Envelope>;
  readonly payload: Uint8Array;
  readonly bodyBytes?: number;
  /** Further headers, e.g. of a plain client; names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Reply {
  readonly payload: Uint8Array;
  readonly bodyBytes?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Answers a request by what it resolves to; for a message that expects no answer the value is dropped. A rejection becomes an error reply (see rpc.ts). */
export type BusHandler = (message: BusMessage, wantsReply: boolean) => Promise<Reply | undefined>;

export interface Subscription {
  /** Stops new deliveries and waits for handlers that run. */
  close(): Promise<void>;
}

/**
 * Role: carries messages between services; never the truth.
 * Delivery: at most once, in order per sender and subject while connected. A request gets the first reply.
 * `*` matches one token of a subject and a last `>` one or more.
 */
export interface MessageBus {
  /** Resolves when handed to the connection, not when delivered. @throws Fault PAYLOAD_TOO_LARGE (nothing sent), BUS_UNAVAILABLE. */
  publish(message: BusMessage): Promise<void>;
  /** @throws Fault SERVICE_UNAVAILABLE (nobody listens), REQUEST_TIMEOUT, BUS_UNAVAILABLE, PAYLOAD_TOO_LARGE. On a timeout the receiver may have acted. */
  request(message: BusMessage, options: { readonly timeoutMs: number }): Promise<BusMessage>;
  /** Every subscriber without a queue gets each message; of those with the same queue, one does. Resolves when the server knows the subscription. */
  subscribe(subject: string, options: { readonly queue?: string }, handler: BusHandler): Promise<Subscription>;
  /** Whether the connection is up, and each change of it. */
  readonly connected: boolean;
  onConnection(listener: (connected: boolean) => void): Cancel;
  /** Stops deliveries, lets running handlers end, closes. Twice is fine. */
  close(): Promise<void>;
}
