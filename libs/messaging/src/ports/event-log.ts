import type { JobEvent } from '@das/contracts';
import type { Cancel, JobId } from '@das/kernel';

/** An event with its place in the log. */
export interface LoggedEvent {
  readonly seq: number;
  readonly event: JobEvent;
}

/** Role: events and logs that people replay. Bounded in age and size; the oldest go first. Losing one never changes a result. */
export interface EventLog {
  /** `dedupeId` given twice within two minutes stores once. Resolves when stored. */
  append(event: JobEvent, dedupeId?: string): Promise<void>;
  /** Delivers a job's events from `after` on (0 = the first kept), in order, then live, until cancelled. `kinds` narrows. */
  follow(
    job: JobId,
    options: { readonly after: number; readonly kinds?: readonly JobEvent['event'][] },
    listener: (event: LoggedEvent) => void,
  ): Promise<Cancel>;
  /** What is stored now, in order. */
  read(
    job: JobId,
    options: { readonly after: number; readonly limit: number; readonly kinds?: readonly JobEvent['event'][] },
  ): Promise<LoggedEvent[]>;
  close(): Promise<void>;
}
