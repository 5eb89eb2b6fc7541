import { eligible, noteSplitterBeat, splitterHeard, standSoon } from './eligibility.js';
import { claim, handOver, stepDown } from './tenure.js';
import type { Turn } from './turn.js';

/** A leader whose job-splitter is silent leads nobody. */
export function onSplitterTimer(turn: Turn, late: number): void {
  const { splitter } = turn.state;
  const silentFor = turn.now - (splitter?.at ?? -Infinity);
  // Deaf, or late after a pause, its beats may wait in our own queue, and on a slow line on their way: one more beat's time, as long as the lease could
  // have lasted.
  const ours = turn.state.deaf || late > turn.t.lateMs || renewalIsSlow(turn);
  const grace = ours && silentFor < turn.t.leaseMs;
  if (grace) return turn.setTimer('splitter', turn.t.splitterBeatMs);
  if (!splitterHeard(turn.state, turn.now)) return handOver(turn, 'splitterSilent');
  turn.setTimer('splitter', turn.t.splitterBeatMs * turn.t.splitterMissesMax - silentFor);
}

/** What we asked the store ourselves is not answered either. */
function renewalIsSlow({ state: { renewal }, now, t }: Turn): boolean {
  return renewal !== undefined && now - renewal.startedAt >= t.splitterBeatMs;
}

export function onSplitterBeat(turn: Turn, epoch: string): void {
  const wasEligible = eligible(turn.state, turn.now);
  const instance = noteSplitterBeat(turn, epoch);
  if (instance === 'new' && turn.state.phase === 'leading') {
    // The previous instance may still have acts under way: under the next term the store refuses them.
    stepDown(turn, 'splitterRestarted');
    return claim(turn);
  }
  if (!wasEligible) standSoon(turn);
}
