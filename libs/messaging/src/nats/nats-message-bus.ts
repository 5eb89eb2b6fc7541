import { type Fault, limits } from '@das/contracts';
import { type Cancel, messageOf } from '@das/kernel';
import {
  type Msg,
  type MsgHdrs,
  type NatsConnection,
  NoRespondersError,
  RequestError,
  TimeoutError,
} from '@nats-io/nats-core';
import { MsgHdrsImpl } from '@nats-io/nats-core/internal';
import { busAway, nobodyListens, timedOut } from '../bus-faults.js';
import { ConnectionListeners } from '../connection-listeners.js';
import { type HeaderList, headersOf, messageBytes, readHeaders, refuseTooLarge, replyHeadersOf } from '../headers.js';
import { type BusLog, silent } from '../log.js';
import type { BusHandler, BusMessage, MessageBus, Reply, Subscription } from '../ports/message-bus.js';
import { errorReply } from '../rpc.js';
import { RunningHandlers } from '../running-handlers.js';

/** The bus over one NATS connection. Nothing is kept while the server is away: sending fails at once with BUS_UNAVAILABLE. */
export class NatsMessageBus implements MessageBus {
  readonly #status = new ConnectionListeners(true);
  readonly #open = new Set<Subscription>();
  #closing: Promise<void> | undefined;

  constructor(
    readonly connection: NatsConnection,
    private readonly log: BusLog = silent,
  ) {
    void this.#watch();
  }

  get connected(): boolean {
    return this.#status.connected;
  }

  onConnection(listener: (connected: boolean) => void): Cancel {
    return this.#status.add(listener);
  }

  async publish(message: BusMessage): Promise<void> {
    const headers = this.#checked(message);
    try {
      this.connection.publish(message.subject, message.payload, { headers: natsHeaders(headers) });
    } catch (error) {
      throw busAway(messageOf(error));
    }
  }

  async request(message: BusMessage, options: { readonly timeoutMs: number }): Promise<BusMessage> {
    const headers = natsHeaders(this.#checked(message));
    const timeout = Math.max(1, options.timeoutMs);
    try {
      return toMessage(await this.connection.request(message.subject, message.payload, { timeout, headers }));
    } catch (error) {
      throw requestFault(error, message.subject, timeout);
    }
  }

  async subscribe(subject: string, options: { readonly queue?: string }, handler: BusHandler): Promise<Subscription> {
    if (this.#closing !== undefined) throw busAway('it is closed');
    const running = new RunningHandlers();
    const subscription = this.connection.subscribe(subject, {
      ...(options.queue === undefined ? {} : { queue: options.queue }),
      callback: (error, msg) => {
        if (error) this.log.error({ subject, err: error }, 'subscription refused by the server');
        else void this.#deliver(msg, running, handler);
      },
    });
    const own: Subscription = {
      close: async () => {
        if (!this.#open.delete(own)) return;
        // Drained while away there is no server to ask; the client forgets the subscription at once.
        if (this.connected) await subscription.drain().catch(() => undefined);
        else subscription.unsubscribe();
        await running.ended();
      },
    };
    this.#open.add(own);
    await this.connection.flush().catch((error: unknown) => {
      // The client sends its subscriptions again when it is back; only a closed connection loses them.
      if (this.connection.isClosed()) throw busAway(messageOf(error));
    });
    return own;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#open].map((subscription) => subscription.close()));
    if (this.connected) await this.connection.flush().catch(() => undefined);
    this.#status.end();
    await this.connection.close();
  }

  async #deliver(msg: Msg, running: RunningHandlers, handler: BusHandler): Promise<void> {
    const wantsReply = msg.reply !== undefined && msg.reply !== '';
    try {
      const reply = await running.track(() => handler(toMessage(msg), wantsReply));
      if (wantsReply) this.#reply(msg, reply ?? { payload: new Uint8Array(0) });
    } catch (error) {
      if (wantsReply) this.#reply(msg, errorReply(error));
      else this.log.error({ subject: msg.subject, err: error }, 'handler failed');
    }
  }

  /** An answer that is too large, or that nobody can get any more, must not end the process. */
  #reply(msg: Msg, reply: Reply): void {
    try {
      const headers = replyHeadersOf(reply);
      refuseTooLarge(msg.subject, messageBytes(headers, reply.payload), this.#bytesMax());
      msg.respond(reply.payload, { headers: natsHeaders(headers) });
    } catch (error) {
      this.log.warn({ subject: msg.subject, err: error }, 'answer could not be sent');
      if (!this.connection.isClosed()) {
        const short = errorReply(error);
        msg.respond(short.payload, { headers: natsHeaders(replyHeadersOf(short)) });
      }
    }
  }

  #checked(message: BusMessage): HeaderList {
    if (!this.connected) throw busAway('not connected');
    const headers = headersOf(message);
    refuseTooLarge(message.subject, messageBytes(headers, message.payload), this.#bytesMax());
    return headers;
  }

  #bytesMax(): number {
    return Math.min(this.connection.info?.max_payload ?? limits.payloadBytesMax, limits.payloadBytesMax);
  }

  async #watch(): Promise<void> {
    for await (const status of this.connection.status()) {
      if (status.type === 'disconnect') this.#status.set(false);
      else if (status.type === 'reconnect') this.#status.set(true);
      else if (status.type === 'error') this.log.warn({ err: status.error }, 'message bus reports an error');
    }
    this.#status.set(false);
  }
}

/** The client's own class, filled directly: its `append` checks every name again, and ours are constants. */
function natsHeaders(list: HeaderList): MsgHdrs {
  return MsgHdrsImpl.fromRecord(Object.fromEntries(list.map(([name, value]) => [name, [value]])));
}

function toMessage(msg: Msg): BusMessage {
  const head = msg.headers === undefined ? { envelope: {} } : readHeaders(firstValues(msg.headers));
  return { subject: msg.subject, payload: msg.data, ...head };
}

function* firstValues(headers: Iterable<[string, string[]]>): Generator<[string, string]> {
  for (const [name, values] of headers) if (values[0] !== undefined) yield [name, values[0]];
}

/** What the client library threw for a request, in words of the catalogue. */
function requestFault(thrown: unknown, subject: string, timeoutMs: number): Fault {
  if (thrown instanceof TimeoutError) return timedOut(subject, timeoutMs);
  if (thrown instanceof NoRespondersError || (thrown instanceof RequestError && thrown.isNoResponders())) {
    return nobodyListens(subject);
  }
  return busAway(messageOf(thrown));
}
