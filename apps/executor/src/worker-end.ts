import type { LimitKind, PooledWorker } from '@das/execution';
import type { Cancel, Clock } from '@das/kernel';
import { importing, watchProgress } from './progress-watch.js';

/** Why we ended a worker. */
export type EndedFor = 'importing' | 'stuck' | LimitKind;

/** Ends the worker of one attempt when its time is over, and remembers why. */
export class WorkerEnd {
  #why: EndedFor | undefined;
  #worker: PooledWorker | undefined;

  constructor(
    private readonly clock: Clock,
    /** No progress for so long ends it. */
    private readonly timeoutMs: number | undefined,
    private readonly wallMs: number | undefined,
  ) {}

  get why(): EndedFor | undefined {
    return this.#why;
  }

  /** The worker that runs the attempt from now on. */
  of(worker: PooledWorker | undefined): void {
    this.#worker = worker;
  }

  /** Ends the worker at once; the first reason counts. */
  now(why: EndedFor): void {
    this.#why ??= why;
    this.#worker?.kill();
  }

  /** While the script is imported. */
  whileImporting(limitMs: number): Cancel {
    return watchProgress(importing, this.clock, limitMs, () => this.now('importing'));
  }

  /** While the part runs: without progress, and however much progress it makes. */
  whileRunning(worker: PooledWorker): Cancel {
    const { timeoutMs, wallMs } = this;
    const cancels: Cancel[] = [];
    if (timeoutMs !== undefined)
      cancels.push(watchProgress(worker.runtime, this.clock, timeoutMs, () => this.now('stuck')));
    if (wallMs !== undefined) cancels.push(this.clock.timer(wallMs, () => this.now('wall')));
    return () => cancels.forEach((cancel) => cancel());
  }

  /** Which limits of its group struck the worker since this was asked last. */
  async struck(): Promise<{ readonly memory: boolean; readonly processes: boolean }> {
    return (await this.#worker?.struck()) ?? { memory: false, processes: false };
  }
}
