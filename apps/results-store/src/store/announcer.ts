import { isUtf8 } from 'node:buffer';
import {
  type JobRecord,
  type JobState,
  limits,
  jobEnded as jobEndedAnnouncement,
  jobWake,
  lockFreed,
} from '@das/contracts';
import type { Clock, JobId } from '@das/kernel';
import type { ServiceBus } from '@das/messaging';

/** While `split` stores block after block, the leader is woken at most this often per job (ms). */
const wakeEveryMs = 100;
/** Jobs whose wake waits; beyond, it is told at once. */
const waitingMax = 10_000;

/** NDJSON goes along where it is short: that saves its readers a question. */
function inline<Name extends string>(name: Name, lines: Uint8Array): Partial<Record<Name, string>> {
  if (lines.length > limits.inlineCharsMax || !isUtf8(lines)) return {};
  return { [name]: Buffer.from(lines).toString('utf8') } as Record<Name, string>;
}

/** Tells the cluster what a transaction changed. Hints all: whoever misses one finds the change by its next poll. */
export class Announcer {
  /** Jobs woken a moment ago; `true`: to be woken again when the moment is over. */
  readonly #recent = new Map<JobId, boolean>();

  constructor(
    private readonly bus: ServiceBus,
    private readonly clock: Clock,
  ) {}

  wake(job: JobId): void {
    this.bus.tell(jobWake, { job });
  }

  /** As {@link wake}, with the whole job: the leader begins without reading it. */
  created(record: JobRecord, items: Uint8Array): void {
    this.bus.tell(jobWake, { job: record.spec.job, created: record, ...(items.length > 0 && inline('lines', items)) });
  }

  /** As {@link wake}, at once or at the end of the running 100 ms. */
  wakeSoon(job: JobId): void {
    if (this.#recent.has(job)) return void this.#recent.set(job, true);
    this.wake(job);
    if (this.#recent.size >= waitingMax) return;
    this.#recent.set(job, false);
    this.clock.timer(wakeEveryMs, () => {
      const again = this.#recent.get(job);
      this.#recent.delete(job);
      if (again) this.wakeSoon(job);
    });
  }

  freed(name: string): void {
    this.bus.tell(lockFreed, { name });
  }

  /** `result`: all of it, as it was just committed. */
  ended(job: JobId, state: JobState, result?: Uint8Array): void {
    this.bus.tell(jobEndedAnnouncement, { job, state, ...(result && inline('result', result)) });
  }

  /** The job's items start again: attempts of earlier generations end, and the leader reads it anew. */
  restarted(job: JobId, generation: number): void {
    this.bus.tell(jobEndedAnnouncement, { job, state: 'splitting', belowGeneration: generation });
    this.wake(job);
  }
}
