import type { Clock } from '@das/kernel';

/** Resolves after `ms`, or as soon as the signal is aborted. Nothing stays on the signal afterwards. */
export function paused(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      cancel();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.timer(ms, done);
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
  });
}
