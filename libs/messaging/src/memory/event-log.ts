import type { JobEvent } from '@das/contracts';
import type { Cancel, JobId } from '@das/kernel';
import type { EventLog, LoggedEvent } from '../ports/event-log.js';

/** As in the event stream: events kept of one kind of one job. */
export const eventsPerSubjectMax = 4096;
/** Events kept in all, and dedupe ids remembered. */
const eventsMax = 100_000;

type Kinds = readonly JobEvent['event'][] | undefined;
type Follower = { readonly job: JobId; readonly wake: () => void };

/** The event log of tests and of the memory transport: bounded, lost with the process. */
export class MemoryEventLog implements EventLog {
  #events: LoggedEvent[] = [];
  #seq = 0;
  readonly #seen = new Set<string>();
  readonly #followers = new Set<Follower>();

  async append(event: JobEvent, dedupeId?: string): Promise<void> {
    if (dedupeId !== undefined && !this.#remember(`${event.job}:${dedupeId}`)) return;
    this.#events.push({ seq: ++this.#seq, event: structuredClone(event) });
    this.#trim(event);
    for (const follower of this.#followers) if (follower.job === event.job) follower.wake();
  }

  async follow(
    job: JobId,
    options: { readonly after: number; readonly kinds?: Kinds },
    listener: (event: LoggedEvent) => void,
  ): Promise<Cancel> {
    let cursor = options.after;
    const deliver = (): void => {
      for (const logged of this.#of(job, cursor, options.kinds)) {
        if (!this.#followers.has(follower)) return;
        cursor = logged.seq;
        listener(logged);
      }
    };
    const follower: Follower = { job, wake: () => queueMicrotask(deliver) };
    this.#followers.add(follower);
    follower.wake();
    return () => void this.#followers.delete(follower);
  }

  async read(
    job: JobId,
    options: { readonly after: number; readonly limit: number; readonly kinds?: Kinds },
  ): Promise<LoggedEvent[]> {
    return this.#of(job, options.after, options.kinds).slice(0, options.limit);
  }

  async close(): Promise<void> {
    this.#followers.clear();
  }

  #of(job: JobId, after: number, kinds: Kinds): LoggedEvent[] {
    return this.#events.filter(
      ({ seq, event }) => seq > after && event.job === job && (kinds === undefined || kinds.includes(event.event)),
    );
  }

  #remember(id: string): boolean {
    if (this.#seen.has(id)) return false;
    this.#seen.add(id);
    for (const oldest of this.#seen) {
      if (this.#seen.size <= eventsMax) break;
      this.#seen.delete(oldest);
    }
    return true;
  }

  /** The oldest go first: of the newest event's subject, then of all. */
  #trim(newest: JobEvent): void {
    const same = ({ event }: LoggedEvent): boolean => event.job === newest.job && event.event === newest.event;
    if (this.#events.filter(same).length > eventsPerSubjectMax) this.#events.splice(this.#events.findIndex(same), 1);
    if (this.#events.length > eventsMax) this.#events.shift();
  }
}
