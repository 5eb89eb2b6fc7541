import type { Cancel, Clock } from '@das/kernel';
import type { RuntimeWorker } from '@das/execution';

const longestLookMs = 1_000;

/** A look that comes so many times later than it should: this node stood still, and its workers with it. */
const frozenLooks = 2;

/** A script that is imported tells no progress. */
export const importing = { position: () => ({ item: undefined, counter: 0 }), waitsForUs: false };

/** Calls `stuck` once when the worker makes no progress for `timeoutMs` while nothing is owed to it. Time that the node stood still does not count. */
export function watchProgress(
  worker: Pick<RuntimeWorker, 'position' | 'waitsForUs'>,
  clock: Clock,
  timeoutMs: number,
  stuck: () => void,
): Cancel {
  let last = worker.position();
  let since: number = clock.monotonic();
  let lookedMs = since;
  const lookMs = Math.min(longestLookMs, timeoutMs / 4);
  const cancel = clock.every(lookMs, () => {
    const now = worker.position();
    const nowMs = clock.monotonic();
    const gapMs = nowMs - lookedMs;
    lookedMs = nowMs;
    if (gapMs > frozenLooks * lookMs) since += gapMs;
    const moved = now.item !== last.item || now.counter !== last.counter;
    if (moved || worker.waitsForUs) {
      last = now;
      since = nowMs;
    } else if (nowMs - since >= timeoutMs) {
      cancel();
      stuck();
    }
  });
  return cancel;
}
