import { Fault } from '@das/contracts';
import { type Cancel, type Clock, messageOf } from '@das/kernel';
import type { OutboxRow, ResultStore } from '@das/jobs';
import type { EventLog } from '@das/messaging';

/** Events published by one transaction. */
const batchMax = 200;
/** How often rows that a crashed instance left are looked for (ms). */
const pollMs = 2_000;
/** How long the beginning of a job may wait to be told (ms): that of a short one is told with its end, and costs no transaction of its own. */
const soonMs = 25;
/**
 * One transaction publishes for so long (ms), and leaves the rest to the next: the rows' locks must not be held while the bus is slow or away,
 * and Postgres undoes a transaction that waits for longer than `idleInTransactionMs`.
 */
const publishTimeoutMs = 2_000;

type Log = { warn(fields: Record<string, unknown>, message: string): void };

/** Carries the outbox to the event log: after each change, and every 2 s for what was left behind. */
export class OutboxPublisher {
  #draining: Promise<void> | undefined;
  #again = false;
  #failing = false;
  #cancel: Cancel | undefined;
  #soon: Cancel | undefined;
  #stopped = false;

  constructor(
    private readonly store: Pick<ResultStore, 'drainOutbox'>,
    private readonly events: EventLog,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  start(): void {
    this.#cancel = this.clock.every(pollMs, () => this.kick());
  }

  /** A change may have left rows; returns at once. */
  kick(): void {
    this.#soon?.();
    this.#soon = undefined;
    this.#again = true;
    this.#draining ??= this.#drain();
  }

  /** As {@link kick}, a moment later, with what else there is by then. */
  kickSoon(): void {
    if (!this.#stopped) this.#soon ??= this.clock.timer(soonMs, () => this.kick());
  }

  /** Publishes what there is, then stops. */
  async stop(): Promise<void> {
    this.#cancel?.();
    this.#stopped = true;
    this.kick();
    await this.#draining;
  }

  async #drain(): Promise<void> {
    try {
      while (this.#again) {
        this.#again = false;
        await this.store.drainOutbox(batchMax, (rows) => this.#publish(rows));
      }
      this.#failing = false;
    } catch (thrown) {
      // The rows stay; the next round finds them. Said once, not every two seconds.
      if (!this.#failing) this.log.warn({ err: messageOf(thrown) }, 'events could not be published; they are kept');
      this.#failing = true;
    } finally {
      this.#draining = undefined;
    }
  }

  /** How many of them, from the first on. @throws Fault BUS_UNAVAILABLE, or the bus's error, when that is none. */
  async #publish(rows: readonly OutboxRow[]): Promise<number> {
    const batch = { published: 0, over: false };
    let cancel: Cancel = () => undefined;
    const late = new Promise<never>((_, reject) => {
      const fault = () => reject(new Fault('BUS_UNAVAILABLE', 'the event log did not answer'));
      cancel = this.clock.timer(publishTimeoutMs, fault);
    });
    try {
      await Promise.race([this.#append(rows, batch), late]);
    } catch (thrown) {
      if (batch.published === 0) throw thrown;
    } finally {
      batch.over = true;
      cancel();
    }
    if (batch.published < rows.length || rows.length === batchMax) this.#again = true;
    return batch.published;
  }

  /** In order: followers read a job's states as they came. Nothing more goes out once the batch is over, for another instance may go on. */
  async #append(rows: readonly OutboxRow[], batch: { published: number; readonly over: boolean }): Promise<void> {
    for (const { seq, event } of rows) {
      if (batch.over) return;
      await this.events.append(event, `outbox-${event.job}-${seq}`);
      batch.published += 1;
    }
  }
}
