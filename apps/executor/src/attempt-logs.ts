import type { Assignment } from '@das/contracts';
import {
  type LogBounds,
  type LogBudget,
  type LogStream,
  admitLines,
  cutLines,
  droppedNotice,
  newLogBudget,
} from '@das/execution';
import type { Clock, NodeId } from '@das/kernel';
import type { JobLogs } from './job-logs.js';

/** The prints of one attempt: cut into lines, bounded, then the job's. */
export class AttemptLogs {
  readonly #rest: Record<LogStream, string> = { stdout: '', stderr: '' };
  #budget: LogBudget = newLogBudget;
  #printed = false;

  constructor(
    private readonly logs: JobLogs,
    private readonly clock: Clock,
    private readonly attempt: Assignment,
    private readonly node: NodeId,
    private readonly bounds: LogBounds,
  ) {}

  readonly hear = (stream: LogStream, text: string): void => {
    const { lines, rest } = cutLines(this.#rest[stream], text);
    this.#rest[stream] = rest;
    this.#add(stream, lines);
  };

  /** The attempt is over: a line without an end ends, and what was dropped is told once. Resolves as {@link JobLogs.end}. */
  finish(): Promise<void> {
    for (const stream of ['stdout', 'stderr'] as const) {
      if (this.#rest[stream] !== '') this.#add(stream, [this.#rest[stream]]);
      this.#rest[stream] = '';
    }
    const notice = droppedNotice(this.#budget, this.bounds);
    this.#budget = newLogBudget;
    if (notice !== undefined) this.#tell('stderr', [notice]);
    return this.#printed ? this.logs.end(this.attempt) : Promise.resolve();
  }

  #add(stream: LogStream, lines: readonly string[]): void {
    const { budget, kept } = admitLines(this.#budget, lines, this.clock.monotonic(), this.bounds);
    this.#budget = budget;
    if (kept.length > 0) this.#tell(stream, kept);
  }

  #tell(stream: LogStream, lines: readonly string[]): void {
    const { job, part, attempt } = this.attempt;
    this.#printed = true;
    this.logs.add({ job, part, attempt, node: this.node, stream }, lines);
  }
}
