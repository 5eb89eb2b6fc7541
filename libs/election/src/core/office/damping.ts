import { unwell } from './eligibility.js';
import { handOver } from './tenure.js';
import type { Turn } from './turn.js';

/** How long a healthy leader must have led before it gives way of its own will: doubles with each recent change of leader. */
export function tenureNeededMs(turn: Turn): number {
  const { tenureMs, tenureMaxMs, windowMs } = turn.t.damping;
  const recent = turn.state.changes.filter((at) => turn.now - at < windowMs).length;
  return Math.min(tenureMs * 2 ** Math.max(0, recent - 1), tenureMaxMs);
}

/** Whether this leader may give way now without stirring the cluster too often. */
export function maySettle(turn: Turn): boolean {
  const { tenure } = turn.state;
  return tenure !== undefined && turn.now - tenure.since >= tenureNeededMs(turn);
}

/** A leader that is not well lets another lead, when there is one and the lead has not just changed. */
export function resignIfUnwell(turn: Turn): void {
  const others = [...turn.state.live].some((node) => node !== turn.self);
  if (others && unwell(turn.state) && maySettle(turn)) handOver(turn, 'unhealthy');
}
