import type { JobEvent } from '@das/contracts';
import type { Cancel, Clock } from '@das/kernel';
import { messageOf } from '@das/kernel';
import type { EventLog } from '@das/messaging';
import type { Logger } from '@das/platform';

type LogEvent = Extract<JobEvent, { event: 'log' }>;
type LogKey = Omit<LogEvent, 'event' | 'at' | 'lines'>;

const linesPerBatch = 100;
/** A character has at most three bytes in JSON as UTF-16 counts them; a batch stays below the payload limit. */
const charsPerBatch = 300_000;
const flushMs = 200;
/** Batches that wait for the event log; beyond them lines are lost, and counted. */
const batchesMax = 400;
/** A commit waits for the lines of its attempt so long (ms): an event log that is away holds nobody up for ever, and then the store is mostly away, too. */
export const endMs = 2_000;

/** What scripts print, in batches, in order, to the event log. Losing a line never changes a result. */
export class JobLogs {
  readonly #open = new Map<string, { key: LogKey; lines: string[]; chars: number }>();
  readonly #queue: LogEvent[] = [];
  #timer: Cancel | undefined;
  #sending: Promise<void> | undefined;
  #lost = 0;
  #sent = 0;
  /** Batches queued so far, and of these those that are stored or lost. */
  #queued = 0;
  #handled = 0;
  readonly #waiting = new Set<{ readonly upTo: number; readonly done: () => void }>();

  constructor(
    private readonly events: EventLog,
    private readonly clock: Clock,
    private readonly log: Logger,
    private readonly epoch: string,
  ) {}

  add(key: LogKey, lines: readonly string[]): void {
    const name = `${key.job}/${key.part}/${key.attempt}/${key.stream}`;
    for (const line of lines) {
      const open = this.#open.get(name) ?? { key, lines: [], chars: 0 };
      this.#open.set(name, open);
      open.lines.push(line);
      open.chars += line.length;
      if (open.lines.length >= linesPerBatch || open.chars >= charsPerBatch) this.#close(name);
    }
    if (this.#open.size > 0) this.#timer ??= this.clock.timer(flushMs, () => void this.flush());
  }

  /** The attempt prints no more. Resolves when its lines are stored or lost, whoever else prints, or after {@link endMs}. */
  async end({ job, part, attempt }: Pick<LogKey, 'job' | 'part' | 'attempt'>): Promise<void> {
    for (const stream of ['stdout', 'stderr']) this.#close(`${job}/${part}/${attempt}/${stream}`);
    if (this.#handled === this.#queued) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        cancel();
        this.#waiting.delete(waiter);
        resolve();
      };
      const waiter = { upTo: this.#queued, done };
      const cancel = this.clock.timer(endMs, done);
      this.#waiting.add(waiter);
    });
  }

  /** Resolves when all that was added is stored, or lost. */
  async flush(): Promise<void> {
    this.#timer?.();
    this.#timer = undefined;
    for (const name of [...this.#open.keys()]) this.#close(name);
    await this.#sending;
  }

  #close(name: string): void {
    const open = this.#open.get(name);
    this.#open.delete(name);
    if (open === undefined) return;
    if (this.#queue.length >= batchesMax) {
      this.#lost += open.lines.length;
      return;
    }
    this.#queued += 1;
    this.#queue.push({ event: 'log', at: this.clock.now(), ...open.key, lines: open.lines });
    this.#sending ??= this.#send();
  }

  /** One after the other, so that lines stay in order. */
  async #send(): Promise<void> {
    for (let event = this.#queue.shift(); event !== undefined; event = this.#queue.shift()) {
      try {
        await this.events.append(event, `${this.epoch}-${(this.#sent += 1)}`);
      } catch (error) {
        this.#lost += event.lines.length;
        this.log.debug({ job: event.job, err: error }, `log lines could not be stored: ${messageOf(error)}`);
      }
      this.#handled += 1;
      for (const { upTo, done } of [...this.#waiting]) if (upTo <= this.#handled) done();
    }
    this.#sending = undefined;
    if (this.#lost > 0)
      this.log.info({ lines: this.#lost }, 'log lines of scripts were lost: the event log is away or too slow');
    this.#lost = 0;
  }
}
