import type { Cancel, Clock } from '@das/kernel';
import type { RuntimeWorker } from '@das/execution';

const longestLookMs = 1_000;

/** Calls `stuck` once when the worker makes no progress for `timeoutMs` while nothing is owed to it. */
export function watchProgress(
  worker: Pick<RuntimeWorker, 'position' | 'waitsForUs'>,
  clock: Clock,
  timeoutMs: number,
  stuck: () => void,
): Cancel {
  let last = worker.position();
  let since = clock.monotonic();
  const cancel = clock.every(Math.min(longestLookMs, timeoutMs / 4), () => {
    const now = worker.position();
    const moved = now.item !== last.item || now.counter !== last.counter;
    if (moved || worker.waitsForUs) {
      last = now;
      since = clock.monotonic();
    } else if (clock.monotonic() - since >= timeoutMs) {
      cancel();
      stuck();
    }
  });
  return cancel;
}
