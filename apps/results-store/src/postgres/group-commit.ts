import { Fault } from '@das/contracts';

/** Bounds of one batch: enough to share the cost of a commit, small enough to keep its latency. */
const batchMax = 256;
const batchBytesMax = 8 * 1024 * 1024;
/** Bounds of what may wait behind the batch in flight; beyond, senders hold their output and come again. */
const waitingMax = 10_000;
const waitingBytesMax = 128 * 1024 * 1024;

export interface Grouped<T> {
  readonly task: T;
  /** Two of one key never share a batch. */
  readonly key: string;
  /** Never shares a batch with anything. */
  readonly alone: boolean;
  readonly bytes: number;
}

interface Waiting<T, R> extends Grouped<T> {
  readonly resolve: (result: R) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Runs tasks in batches without a timer: at once when idle; what arrives while a batch is in flight makes up the next one.
 * A batch that fails is run again task by task, so that one bad task does not fail the others; unless all of them would fail alike.
 */
export class GroupCommit<T, R> {
  #waiting: Waiting<T, R>[] = [];
  #bytes = 0;
  #running: Promise<void> | undefined;

  /** `run` resolves to one result per task, in order; a task that is refused alone is an `Error` in its place. */
  constructor(private readonly run: (tasks: readonly T[]) => Promise<(R | Error)[]>) {}

  /** @throws Fault STORE_UNAVAILABLE when too much waits; nothing was done. */
  submit(task: Grouped<T>): Promise<R> {
    if (this.#waiting.length >= waitingMax || this.#bytes + task.bytes > waitingBytesMax)
      throw new Fault('STORE_UNAVAILABLE', 'too many commits wait; come again');
    this.#bytes += task.bytes;
    return new Promise<R>((resolve, reject) => {
      this.#waiting.push({ ...task, resolve, reject });
      this.#running ??= this.#work();
    });
  }

  /** Resolves when nothing runs or waits. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #work(): Promise<void> {
    while (this.#waiting.length > 0) {
      // What was read from the same socket at once belongs to one batch (measured, 16 senders: 16 instead of 8 a batch).
      await new Promise<void>((resolve) => setImmediate(resolve));
      await this.#batch(this.#take());
    }
    this.#running = undefined;
  }

  #take(): Waiting<T, R>[] {
    const batch: Waiting<T, R>[] = [];
    const later: Waiting<T, R>[] = [];
    const keys = new Set<string>();
    let bytes = 0;
    for (const waiting of this.#waiting) {
      const room = batch.length < batchMax && (batch.length === 0 || bytes + waiting.bytes <= batchBytesMax);
      const fits = batch.length === 0 || (!waiting.alone && !batch[0]?.alone);
      if (!room || !fits || keys.has(waiting.key)) {
        later.push(waiting);
        keys.add(waiting.key);
        continue;
      }
      keys.add(waiting.key);
      bytes += waiting.bytes;
      batch.push(waiting);
    }
    this.#waiting = later;
    this.#bytes -= bytes;
    return batch;
  }

  async #batch(batch: readonly Waiting<T, R>[]): Promise<void> {
    try {
      const results = await this.run(batch.map(({ task }) => task));
      batch.forEach((waiting, i) => settle(waiting, results[i]));
    } catch (thrown) {
      const alike = batch.length === 1 || (thrown instanceof Fault && thrown.code === 'STORE_UNAVAILABLE');
      if (alike) for (const waiting of batch) waiting.reject(thrown);
      else for (const waiting of batch) await this.#batch([waiting]);
    }
  }
}

function settle<T, R>(waiting: Waiting<T, R>, result: R | Error | undefined): void {
  if (result instanceof Error) waiting.reject(result);
  else if (result === undefined) waiting.reject(new RangeError('a batch gave too few results'));
  else waiting.resolve(result);
}
