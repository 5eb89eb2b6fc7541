import { type JobEvent, eventSubject, jobEventSchema } from '@das/contracts';
import type { Cancel, Clock, JobId } from '@das/kernel';
import {
  type Consumer,
  type ConsumerMessages,
  type JetStreamClient,
  type JetStreamManager,
  type JsMsg,
  jetstream,
  jetstreamManager,
} from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { decodeJson, encodeJson } from '../codec.js';
import type { EventLog, LoggedEvent } from '../ports/event-log.js';
import { ensureEventStream, eventLogAway, eventStream } from './event-stream.js';

type Kinds = readonly JobEvent['event'][] | undefined;

/** Messages fetched at once by {@link JetStreamEventLog.read}. */
const fetchMax = 500;
const fetchWaitMs = 2_000;
/** Wait before a follower whose consumer was lost starts anew. */
const followAgainMs = 500;

/** The event log in one file-backed stream of the NATS server; survives its restart. */
export class JetStreamEventLog implements EventLog {
  readonly #following = new Set<Cancel>();

  private constructor(
    private readonly client: JetStreamClient,
    private readonly manager: JetStreamManager,
    private readonly clock: Clock,
    private readonly replicas: number,
  ) {}

  /**
   * Makes sure that the stream exists, in so many copies on different servers. The connection stays the caller's.
   * @throws Fault BUS_UNAVAILABLE when the server has no JetStream.
   */
  static async open(connection: NatsConnection, clock: Clock, replicas = 1): Promise<JetStreamEventLog> {
    const manager = await jetstreamManager(connection).catch((error: unknown) => {
      throw eventLogAway(error);
    });
    await ensureEventStream(manager, replicas);
    return new JetStreamEventLog(jetstream(connection), manager, clock, replicas);
  }

  /** @throws Fault BUS_UNAVAILABLE; the event may or may not be stored. */
  async append(event: JobEvent, dedupeId?: string): Promise<void> {
    const options = dedupeId === undefined ? {} : { msgID: `${event.job}:${dedupeId}` };
    try {
      await this.client.publish(eventSubject(event.job, event.event), encodeJson(event), options);
    } catch (error) {
      throw eventLogAway(error);
    }
  }

  async read(
    job: JobId,
    options: { readonly after: number; readonly limit: number; readonly kinds?: Kinds },
  ): Promise<LoggedEvent[]> {
    const consumer = await this.#consumer(job, options.after, options.kinds);
    const found: LoggedEvent[] = [];
    try {
      let pending = (await consumer.info(true)).num_pending;
      while (pending > 0 && found.length < options.limit) {
        const messages = await consumer.fetch({ max_messages: Math.min(pending, fetchMax), expires: fetchWaitMs });
        let got = 0;
        for await (const message of messages) {
          got += 1;
          const logged = readEvent(message, options.kinds);
          if (logged !== undefined) found.push(logged);
        }
        // Fewer than asked for: the oldest went meanwhile.
        pending = got === 0 ? 0 : pending - got;
      }
    } catch (error) {
      throw eventLogAway(error);
    } finally {
      await consumer.delete().catch(() => undefined);
    }
    return found.slice(0, options.limit);
  }

  async follow(
    job: JobId,
    options: { readonly after: number; readonly kinds?: Kinds },
    listener: (event: LoggedEvent) => void,
  ): Promise<Cancel> {
    let last = options.after;
    let live: ConsumerMessages | undefined;
    let cancelPause: Cancel = () => undefined;
    const cancel: Cancel = () => {
      if (!this.#following.delete(cancel)) return;
      cancelPause();
      live?.stop();
    };
    const deliver = (message: JsMsg): void => {
      const logged = readEvent(message, options.kinds);
      if (message.seq <= last || !this.#following.has(cancel)) return;
      last = message.seq;
      if (logged !== undefined) listener(logged);
    };
    const start = async (): Promise<void> => {
      const consumer = await this.#consumer(job, last, options.kinds);
      if (!this.#following.has(cancel)) return void consumer.delete().catch(() => undefined);
      live = await consumer.consume({ callback: deliver });
      void live.closed().then(again, again);
    };
    const again = (): void => {
      if (!this.#following.has(cancel)) return;
      cancelPause = this.clock.timer(followAgainMs, () => void start().catch(again));
    };
    this.#following.add(cancel);
    try {
      await start();
    } catch (error) {
      cancel();
      throw error;
    }
    return cancel;
  }

  async close(): Promise<void> {
    for (const cancel of [...this.#following]) cancel();
  }

  /** One subject filter only: older servers know no more. Kinds are filtered again on this side. */
  async #consumer(job: JobId, after: number, kinds: Kinds): Promise<Consumer> {
    const [only, ...others] = kinds ?? [];
    const filter = eventSubject(job, only !== undefined && others.length === 0 ? only : '*');
    const options = { filter_subjects: filter, opt_start_seq: Math.max(1, after + 1) };
    try {
      return await this.client.consumers.get(eventStream, options);
    } catch (first) {
      // The server may have come back without its files: then the log starts anew.
      await ensureEventStream(this.manager, this.replicas);
      return this.client.consumers.get(eventStream, options).catch(() => {
        throw eventLogAway(first);
      });
    }
  }
}

/** Undefined for a kind not wanted, and for what is no event: anyone with the token can publish there. */
function readEvent(message: JsMsg, kinds: Kinds): LoggedEvent | undefined {
  try {
    const event = jobEventSchema.safeParse(decodeJson(message.data));
    if (!event.success || (kinds !== undefined && !kinds.includes(event.data.event))) return undefined;
    return { seq: message.seq, event: event.data };
  } catch {
    return undefined;
  }
}
