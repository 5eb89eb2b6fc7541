/** Pauses before restarts grow to this (ms), so that a process that cannot live costs next to nothing. */
export const restartPauseMaxMs = 30_000;
const restartPauseFirstMs = 250;
/** A process that lived this long is healthy again: the next pause is short (ms). */
export const healthyAfterMs = 60_000;

/** How often in a row a process died early. */
export interface Backoff {
  readonly failures: number;
}
export const noFailures: Backoff = { failures: 0 };

/** What to wait before the next start of a process that died `livedMs` after its last one. */
export function afterDeath(backoff: Backoff, livedMs: number): { readonly backoff: Backoff; readonly pauseMs: number } {
  const failures = livedMs >= healthyAfterMs ? 1 : backoff.failures + 1;
  // Capped before the power, which would overflow to Infinity after a day of crashes.
  const doublings = Math.min(failures - 1, 10);
  return { backoff: { failures }, pauseMs: Math.min(restartPauseFirstMs * 2 ** doublings, restartPauseMaxMs) };
}
