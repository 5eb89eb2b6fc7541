import type { Cancel } from '@das/kernel';
import { busAway } from '../bus-faults.js';
import { messageBytes, refuseTooLarge, replyHeadersOf } from '../headers.js';
import type { BusLog } from '../log.js';
import type { BusHandler, BusMessage, MessageBus, Reply, Subscription } from '../ports/message-bus.js';
import { errorReply } from '../rpc.js';
import { RunningHandlers } from '../running-handlers.js';
import type { MemoryHub } from './hub.js';

/** One connection to a {@link MemoryHub}. */
export class MemoryBus implements MessageBus {
  readonly #open = new Set<Subscription>();
  #closing: Promise<void> | undefined;
  #closed = false;

  constructor(
    private readonly hub: MemoryHub,
    private readonly log: BusLog,
  ) {}

  get connected(): boolean {
    return this.hub.status.connected && !this.#closed;
  }

  onConnection(listener: (connected: boolean) => void): Cancel {
    return this.hub.status.add((connected) => {
      if (!this.#closed) listener(connected);
    });
  }

  async publish(message: BusMessage): Promise<void> {
    this.#refuseClosed();
    this.hub.publish(message);
  }

  async request(message: BusMessage, options: { readonly timeoutMs: number }): Promise<BusMessage> {
    this.#refuseClosed();
    return this.hub.request(message, options.timeoutMs);
  }

  async subscribe(subject: string, options: { readonly queue?: string }, handler: BusHandler): Promise<Subscription> {
    this.#refuseClosed();
    const running = new RunningHandlers();
    const remove = this.hub.add({
      subject,
      queue: options.queue,
      deliver: (message, wantsReply) => this.#run(running, message, wantsReply, handler),
    });
    const own: Subscription = {
      close: async () => {
        if (!this.#open.delete(own)) return;
        remove();
        await running.ended();
      },
    };
    this.#open.add(own);
    return own;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Handlers that still run may send until they have ended. */
  async #close(): Promise<void> {
    await Promise.all([...this.#open].map((subscription) => subscription.close()));
    this.#closed = true;
  }

  async #run(
    running: RunningHandlers,
    message: BusMessage,
    wantsReply: boolean,
    handler: BusHandler,
  ): Promise<Reply | undefined> {
    try {
      const reply = await running.track(() => handler(message, wantsReply));
      if (reply !== undefined && wantsReply) {
        refuseTooLarge(message.subject, messageBytes(replyHeadersOf(reply), reply.payload), this.hub.bytesMax);
      }
      return reply;
    } catch (error) {
      if (!wantsReply) this.log.error({ subject: message.subject, err: error }, 'handler failed');
      return errorReply(error);
    }
  }

  #refuseClosed(): void {
    if (this.#closed) throw busAway('it is closed');
  }
}
