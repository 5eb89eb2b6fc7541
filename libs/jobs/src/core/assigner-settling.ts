import type { AttemptRef } from '@das/contracts';
import type { NodeId } from '@das/kernel';
import { hookOf } from './assigner-next.js';
import { addPart, removePart } from './assigner-parts.js';
import { type AssignerState, type JobWork } from './assigner-state.js';

/** The store decided the job: what was open has ended there, and its nodes are told; the hook is all that is left to run. */
export function settle(state: AssignerState, job: JobWork, now: number): void {
  const over = new Map<NodeId, AttemptRef[]>();
  for (const part of [...job.parts.values()]) {
    for (const { node, ref } of part.live.values()) over.set(node, [...(over.get(node) ?? []), ref]);
    removePart(state, job, part);
  }
  for (const [node, attempts] of over) state.drops.push({ node, attempts });
  addPart(state, job, hookOf(job), now);
}
