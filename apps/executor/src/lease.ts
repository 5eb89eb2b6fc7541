import { type AttemptRef, limits, stageOutput } from '@das/contracts';
import type { PooledWorker, RunEnd, RuntimeWorker } from '@das/execution';
import type { Clock } from '@das/kernel';
import { RefusedError } from './output.js';
import { type StoreClient, StoppedError } from './store-client.js';

interface Held {
  readonly store: StoreClient;
  readonly clock: Clock;
  readonly attempt: AttemptRef;
  readonly signal: AbortSignal;
  /** What runs under the lease. It is told of confirmations, so that it ends itself should this process stand still. */
  readonly worker: Pick<PooledWorker, 'kill'> & { readonly runtime: Pick<RuntimeWorker, 'confirm'> };
}

/** How often it is looked whether the lease is over (ms): less than the second by which a hook's rest is longer than the lease. */
const lookMs = 200;
/** A confirmation that was asked for longer ago is not handed on (ms): the worker counts its lease from when it gets it. */
const freshMs = 500;
/** Between two questions for the first confirmation (ms): a store that answers slowly is not asked back to back. */
const pauseMs = 200;
const nothing = new Uint8Array();

/**
 * Runs what must not run twice at a time (a hook): the store confirms the attempt before it starts and every second after. Once the last
 * confirmation was asked for longer ago than the lease, the worker is ended: the store may have ended the attempt, and lets none start before then.
 * A worker that ended itself for want of confirmations has not crashed: its attempt is given back, too.
 * @throws RefusedError when the store has ended the attempt, StoppedError; Error when it did not answer, or never fast enough, for as long as the lease.
 */
export async function underLease(held: Held, run: () => Promise<RunEnd>): Promise<RunEnd> {
  const lease = new Lease(held);
  await lease.take();
  const stop = lease.keep();
  try {
    const end = await run();
    lease.check(end);
    return end;
  } finally {
    stop();
  }
}

class Lease {
  readonly #over = new AbortController();
  readonly #signal: AbortSignal;
  #confirmedMs = Number.NEGATIVE_INFINITY;
  #handedOnMs = Number.NEGATIVE_INFINITY;
  #lost: Error | undefined;

  constructor(private readonly held: Held) {
    this.#signal = AbortSignal.any([held.signal, this.#over.signal]);
  }

  /**
   * Resolves with a fresh confirmation: one that took long is worth little.
   * @throws Error when none came for as long as the lease: held on to, the attempt would look alive to all and do nothing.
   */
  async take(): Promise<void> {
    let cancel = (): void => undefined;
    const late = new Promise<never>((_, reject) => {
      const why = 'the store did not confirm the attempt fast enough to begin';
      cancel = this.held.clock.timer(limits.hookLeaseMs, () => reject(new Error(why)));
    });
    try {
      await Promise.race([this.#fresh(), late]);
    } catch (error) {
      this.#over.abort();
      throw error;
    } finally {
      cancel();
    }
  }

  keep(): () => void {
    const { clock } = this.held;
    const again = clock.every(limits.hookConfirmMs, () => void this.#confirm().catch((error) => this.#lose(error)));
    const look = clock.every(lookMs, () => {
      if (this.#ageMs() > limits.hookLeaseMs) this.#lose(new Error('the store did not confirm the attempt in time'));
    });
    return () => {
      again();
      look();
      this.#over.abort();
    };
  }

  /** @throws why the lease was lost, or why the worker may have ended itself */
  check(end: RunEnd): void {
    if (this.#lost !== undefined) throw this.#lost;
    // Asked here, not left to the timers: after a standstill of this process the worker's end may be heard of before they fire.
    const unheardMs = this.held.clock.monotonic() - this.#handedOnMs;
    if (end.kind === 'gone' && unheardMs >= limits.hookLeaseMs)
      throw new Error(`the worker is gone, and was told of no confirmation for ${Math.round(unheardMs)} ms`);
  }

  async #fresh(): Promise<void> {
    await this.#confirm();
    while (this.#ageMs() > freshMs) {
      await this.#pause();
      await this.#confirm();
    }
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.held.clock.timer(pauseMs, resolve);
      const stop = (): void => {
        cancel();
        resolve();
      };
      this.#signal.addEventListener('abort', stop, { once: true });
      if (this.#signal.aborted) stop();
    });
  }

  #ageMs(): number {
    return this.held.clock.monotonic() - this.#confirmedMs;
  }

  async #confirm(): Promise<void> {
    const { clock, store, attempt } = this.held;
    // Counted from before the question: the answer says nothing about what came after it was written.
    const askedMs = clock.monotonic();
    const { body } = await store.ask(stageOutput, { attempt, rows: [] }, this.#signal, nothing);
    if (body.outcome !== 'staged') throw new RefusedError(body.outcome);
    this.#confirmedMs = Math.max(this.#confirmedMs, askedMs);
    const nowMs = clock.monotonic();
    if (nowMs - askedMs > freshMs || this.#signal.aborted) return;
    // From before the worker can see it, so that it never counts for longer than is counted here.
    this.#handedOnMs = nowMs;
    this.held.worker.runtime.confirm();
  }

  #lose(why: unknown): void {
    if (why instanceof StoppedError || this.#lost !== undefined) return;
    this.#lost = why instanceof Error ? why : new Error(String(why));
    this.held.worker.kill();
  }
}
