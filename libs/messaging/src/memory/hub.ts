import { limits } from '@das/contracts';
import type { Cancel, Clock } from '@das/kernel';
import { busAway, nobodyListens, timedOut } from '../bus-faults.js';
import { ConnectionListeners } from '../connection-listeners.js';
import { subjectMatches } from '../core/subjects.js';
import { type HeaderList, headersOf, messageBytes, readHeaders, refuseTooLarge, replyHeadersOf } from '../headers.js';
import { type BusLog, silent } from '../log.js';
import type { BusMessage, Reply } from '../ports/message-bus.js';
import { MemoryBus } from './bus.js';

/** One subscription; `deliver` runs the handler and resolves to its reply. */
export interface MemorySubscriber {
  readonly subject: string;
  readonly queue: string | undefined;
  readonly deliver: (message: BusMessage, wantsReply: boolean) => Promise<Reply | undefined>;
}

/** Stands in for a server: buses of one hub hear one another, with the semantics of the NATS adapter, in one process and without I/O. */
export class MemoryHub {
  readonly status = new ConnectionListeners(true);
  readonly #subscribers = new Set<MemorySubscriber>();
  #turn = 0;

  /** `clock` times requests. */
  constructor(
    private readonly clock: Clock,
    readonly bytesMax: number = limits.payloadBytesMax,
  ) {}

  connect(log: BusLog = silent): MemoryBus {
    return new MemoryBus(this, log);
  }

  /** As if the server went away: sending fails, what is under way is lost; subscriptions stay. */
  stop(): void {
    this.status.set(false);
  }
  start(): void {
    this.status.set(true);
  }

  add(subscriber: MemorySubscriber): Cancel {
    this.#subscribers.add(subscriber);
    return () => void this.#subscribers.delete(subscriber);
  }

  publish(message: BusMessage): void {
    const copy = this.#received(message);
    for (const to of this.#receivers(message.subject)) this.#later(() => void to.deliver(copy, false));
  }

  request(message: BusMessage, timeoutMs: number): Promise<BusMessage> {
    const copy = this.#received(message);
    const receivers = this.#receivers(message.subject);
    if (receivers.length === 0) return Promise.reject(nobodyListens(message.subject));
    return new Promise((resolve, reject) => {
      const cancel = this.clock.timer(timeoutMs, () => reject(timedOut(message.subject, timeoutMs)));
      for (const to of receivers) {
        this.#later(async () => {
          const reply = (await to.deliver(copy, true)) ?? { payload: new Uint8Array(0) };
          if (!this.status.connected) return;
          cancel();
          resolve(asReceived(message.subject, replyHeadersOf(reply), reply.payload));
        });
      }
    });
  }

  /** Behind the caller's own turn: a sender never finds its message handled before `publish` returns. */
  #later(act: () => unknown): void {
    queueMicrotask(() => {
      if (this.status.connected) act();
    });
  }

  /** Every subscriber without a queue, and of each queue one, in turn. */
  #receivers(subject: string): MemorySubscriber[] {
    const all: MemorySubscriber[] = [];
    const queues = new Map<string, MemorySubscriber[]>();
    for (const subscriber of this.#subscribers) {
      if (!subjectMatches(subscriber.subject, subject)) continue;
      if (subscriber.queue === undefined) all.push(subscriber);
      else queues.set(subscriber.queue, [...(queues.get(subscriber.queue) ?? []), subscriber]);
    }
    this.#turn += 1;
    for (const members of queues.values()) {
      const chosen = members[this.#turn % members.length];
      if (chosen !== undefined) all.push(chosen);
    }
    return all;
  }

  #received(message: BusMessage): BusMessage {
    if (!this.status.connected) throw busAway('not connected');
    const headers = headersOf(message);
    refuseTooLarge(message.subject, messageBytes(headers, message.payload), this.bytesMax);
    return asReceived(message.subject, headers, message.payload);
  }
}

/** A copy, as if it had crossed a wire: the sender may reuse its buffer. */
function asReceived(subject: string, headers: HeaderList, payload: Uint8Array): BusMessage {
  return { subject, payload: new Uint8Array(payload), ...readHeaders(headers) };
}
