import { Fault } from '@das/contracts';
import type { Clock } from '@das/kernel';

export interface Patience {
  /** No new try begins later than this after the first (ms). */
  readonly forMs: number;
  /** Between two tries (ms). */
  readonly pauseMs: number;
  /** Whether asking again may help; when absent, that is what the fault says of itself. */
  readonly isPassing?: (error: unknown) => boolean;
}

/** A fault that may not come again. */
export const isRetryable = (error: unknown): boolean => error instanceof Fault && error.retryable;

/**
 * Asks again while what is asked is away or its answer gets lost. What is asked may be repeated, as every operation of the store may.
 * @throws what will not change by asking again; the last fault once the patience is over.
 */
export async function patiently<T>(
  clock: Pick<Clock, 'monotonic' | 'timer'>,
  { forMs, pauseMs, isPassing = isRetryable }: Patience,
  ask: () => Promise<T>,
): Promise<T> {
  const until = clock.monotonic() + forMs;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!isPassing(error) || clock.monotonic() >= until) throw error;
      await new Promise<void>((resolve) => void clock.timer(pauseMs, resolve));
    }
  }
}
