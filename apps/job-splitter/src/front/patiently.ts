import { Fault } from '@das/contracts';
import type { Clock } from '@das/kernel';
import { isRetryable, patiently as asPatiently } from '@das/platform';
import { frontLimits } from './config.js';

/** Asks the store again for `ms`, so that its restart breaks nothing that has begun. @throws as {@link asPatiently}. */
export const patiently = <T>(clock: Clock, ms: number, ask: () => Promise<T>): Promise<T> =>
  asPatiently(clock, { forMs: ms, pauseMs: frontLimits.endPollMs, isPassing }, ask);

/** Whether asking the store again may help. That a key is in use is for the client to wait for: an upload may take hours. */
export const isPassing = (error: unknown): boolean =>
  isRetryable(error) && !(error instanceof Fault && error.code === 'IDEMPOTENCY_KEY_IN_USE');
