import { type AttemptRef, type OutputRow, stageOutput } from '@das/contracts';
import { type FilledRow, type Rows, messageLength, rowBytes, rowsPerMessageMax } from '@das/execution';
import type { HoldLedger } from './hold-ledger.js';
import type { StoreClient } from './store-client.js';

/** Rows with their bytes, as one message carries them. */
export interface RowBatch {
  readonly rows: OutputRow[];
  readonly raw: Uint8Array;
}

/** The store refuses the attempt: it ended there. */
export class RefusedError extends Error {
  constructor(readonly outcome: 'staleAttempt' | 'jobEnded') {
    super(outcome);
  }
}

/** Output of one attempt that may be on its way to the store; beyond it the worker waits (bytes). */
const stagingBytesMax = 8 * 1024 * 1024;

/** An attempt's output: what a commit can carry waits, what is more is staged as it comes. */
export class Output {
  #waiting: FilledRow[] = [];
  #waitingBytes = 0;
  /** On their way to the store, message by message. */
  readonly #unstaged: FilledRow[][] = [];
  #stagingBytes = 0;
  #staging: Promise<void> = Promise.resolve();
  #failed: Error | undefined;
  #held = 0;
  #dropped = false;

  constructor(
    private readonly rows: Rows,
    private readonly attempt: AttemptRef,
    private readonly run: string,
    private readonly store: StoreClient,
    private readonly ledger: HoldLedger,
    private readonly signal: AbortSignal,
  ) {}

  /** To be called after rows grew. A promise: the worker is to wait. It rejects as {@link finish} does. */
  grown(): void | Promise<void> {
    this.#take(this.rows.take());
    while (this.#waitingBytes > rowBytes || this.#waiting.length > rowsPerMessageMax) this.#stageSome();
    if (this.#failed !== undefined) return Promise.reject(this.#failed);
    if (this.#stagingBytes > stagingBytesMax) return this.#staging;
  }

  /** What the commit itself carries; all before it is staged. @throws RefusedError, StoppedError, Fault for a refusal that will stay. */
  async finish(): Promise<RowBatch> {
    this.#take(this.rows.finish());
    while (this.#waitingBytes > rowBytes || this.#waiting.length > rowsPerMessageMax) {
      if (this.#waiting.length === 1) break;
      this.#stageSome();
    }
    await this.#staging;
    return batchOf(this.#waiting);
  }

  /** What the store is not known to have, in order. */
  left(): FilledRow[] {
    return [...this.#unstaged.flat(), ...this.#waiting];
  }

  /** Nothing of it is needed any more. */
  drop(): void {
    this.#hold(-this.#held);
    this.#dropped = true;
  }

  #take(rows: readonly FilledRow[]): void {
    for (const filled of rows) {
      this.#waiting.push(filled);
      this.#waitingBytes += filled.row.bytes;
      this.#hold(filled.row.bytes);
    }
  }

  /** What is dropped is counted no more, also when its staging ends later. */
  #hold(bytes: number): void {
    if (this.#dropped) return;
    this.#held += bytes;
    this.ledger.add(bytes);
  }

  /** The oldest rows that fit one message. */
  #stageSome(): void {
    const taken = this.#waiting.splice(0, messageLength(this.#waiting.map(({ row }) => row)));
    const bytes = taken.reduce((sum, { row }) => sum + row.bytes, 0);
    this.#unstaged.push(taken);
    this.#waitingBytes -= bytes;
    this.#stagingBytes += bytes;
    this.#staging = this.#staging.then(() => this.#stage(taken, bytes));
    this.#staging.catch((error: Error) => (this.#failed ??= error));
  }

  async #stage(taken: readonly FilledRow[], bytes: number): Promise<void> {
    const { rows, raw } = batchOf(taken);
    const request = { attempt: this.attempt, run: this.run, rows };
    const { body } = await this.store.ask(stageOutput, request, this.signal, raw);
    if (body.outcome !== 'staged') throw new RefusedError(body.outcome);
    this.#unstaged.shift();
    this.#stagingBytes -= bytes;
    this.#hold(-bytes);
  }
}

const batchOf = (filled: readonly FilledRow[]): RowBatch => ({
  rows: filled.map(({ row }) => row),
  raw: Buffer.concat(filled.flatMap(({ chunks }) => chunks)),
});
