import { Fault, type Operation } from '@das/contracts';
import type { Clock } from '@das/kernel';
import type { Answer, ServiceBus } from '@das/messaging';
import { paused } from '@das/platform';

/** Tries of one call, and the pause between calls, which doubles up to this (ms). */
const callMs = 10_000;
const firstPauseMs = 50;
const longestPauseMs = 2_000;

/** What asked is no longer wanted. */
export class StoppedError extends Error {}

/** Asks the store until it answers: it may be away for as long as it likes. */
export class StoreClient {
  constructor(
    private readonly bus: ServiceBus,
    private readonly clock: Clock,
  ) {}

  /**
   * Repeats what failed for a lack of the store, the bus or an answer; every operation of the store may be repeated.
   * `onFailed` is told of every try that failed. @throws StoppedError once `signal` is aborted; Fault for a refusal that will stay.
   */
  async ask<Request, Reply>(
    operation: Operation<Request, Reply>,
    body: Request,
    signal: AbortSignal,
    raw?: Uint8Array,
    onFailed?: () => void,
  ): Promise<Answer<Reply>> {
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      if (signal.aborted) throw new StoppedError();
      const answer = await this.askOnce(operation, body, raw);
      if (answer !== undefined) return answer;
      onFailed?.();
      await paused(this.clock, pauseMs, signal);
    }
  }

  /** One try. Undefined: for a lack of the store, the bus or an answer. @throws Fault for a refusal that will stay. */
  async askOnce<Request, Reply>(
    operation: Operation<Request, Reply>,
    body: Request,
    raw?: Uint8Array,
  ): Promise<Answer<Reply> | undefined> {
    try {
      return await this.bus.call(operation, body, { timeoutMs: callMs, ...(raw === undefined ? {} : { raw }) });
    } catch (error) {
      if (!(error instanceof Fault) || !error.retryable) throw error;
      return undefined;
    }
  }
}
