import type { Timings } from './types.js';

/** What is wrong with a set of timings, in words; empty when nothing is. Each rule has a failure that it prevents. */
export function checkTimings(t: Timings): string[] {
  const faults: string[] = [];
  const rule = (holds: boolean, text: string): void => {
    if (!holds) faults.push(text);
  };
  rule(
    Object.values(t).every((value) => Number.isFinite(value) && value > 0),
    'every timing must be above 0',
  );
  rule(t.heartbeatMs * 4 <= t.leaderTimeoutMs, 'heartbeatMs must be at most a quarter of leaderTimeoutMs');
  rule(t.leaderFreshMs < t.leaderTimeoutMs, 'leaderFreshMs must be below leaderTimeoutMs');
  rule(t.coordinatorWaitMs >= t.okWaitMs * 2, 'coordinatorWaitMs must be at least twice okWaitMs');
  rule(t.renewEveryMs * 2 < t.leaseMs, 'renewEveryMs must be below half of leaseMs');
  rule(t.backoffMs <= t.backoffMaxMs, 'backoffMs must not exceed backoffMaxMs');
  return faults;
}
