import { Fault } from '@das/contracts';
import type { Clock } from '@das/kernel';
import { frontLimits } from './config.js';

/**
 * Asks again while the store is away or its answer gets lost, so that its restart breaks nothing that has begun. What is asked may be
 * repeated, as every operation of the store may.
 * @throws what will not change by asking again; the last fault once `ms` are over.
 */
export async function patiently<T>(clock: Clock, ms: number, ask: () => Promise<T>): Promise<T> {
  const until = clock.monotonic() + ms;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!isPassing(error) || clock.monotonic() >= until) throw error;
      await new Promise<void>((resolve) => void clock.timer(frontLimits.endPollMs, resolve));
    }
  }
}

/** Whether asking the store again may help. That a key is in use is for the client to wait for: an upload may take hours. */
export const isPassing = (error: unknown): boolean =>
  error instanceof Fault && error.retryable && error.code !== 'IDEMPOTENCY_KEY_IN_USE';
