import type { Clock } from '@das/kernel';

/** Waits on the given clock. */
export const pause = (clock: Clock, ms: number): Promise<void> =>
  new Promise((resolve) => void clock.timer(ms, resolve));

/** Looks again and again until `holds` does; `false` when it did not within `withinMs`. For states of other processes, which send no signal. */
export async function eventually(
  holds: () => Promise<boolean>,
  { clock, withinMs, everyMs = 50 }: { readonly clock: Clock; readonly withinMs: number; readonly everyMs?: number },
): Promise<boolean> {
  const began = clock.monotonic();
  while (!(await holds())) {
    if (clock.monotonic() - began >= withinMs) return false;
    await pause(clock, everyMs);
  }
  return true;
}
