import { type Failure, limits } from '@das/contracts';
import type { NodeId } from '@das/kernel';
import type { AssignerState, JobWork } from './assigner-state.js';

/*
 * Nodes that can run nothing of a job: they lack what it needs, as a virtual environment. They said so when they were given a part; nobody asks them again
 * until they were started anew.
 */

export function noteUnfit(state: AssignerState, job: JobWork, node: NodeId, why: Failure): void {
  if (job.unfit.has(node)) return;
  job.unfit.set(node, why);
  state.notes.push({ job: job.record.spec.job, message: `${node} cannot run this job: ${why.message}` });
}

/** The node was started anew: what it lacked it may have now. */
export function forgetUnfit(state: AssignerState, node: NodeId): void {
  for (const job of state.jobs.values()) job.unfit.delete(node);
}

/** A job that none of the nodes can run would wait for ever. Nobody is judged while there may be others that were not heard yet. */
export function failUnfit(state: AssignerState, job: JobWork, now: number): void {
  if (job.unfit.size === 0 || now < state.deafUntil) return;
  const refusals: Array<readonly [NodeId, Failure]> = [];
  for (const node of state.nodes.keys()) {
    const why = job.unfit.get(node);
    if (why === undefined) return;
    refusals.push([node, why]);
  }
  const [first] = refusals;
  if (first === undefined) return;
  const words = refusals.map(([node, { message }]) => `${node}: ${message}`).join('; ');
  const failure = { ...first[1], message: `no node can run this job: ${words}`.slice(0, limits.messageChars) };
  if (job.record.decision === undefined) job.fatal ??= failure;
  else job.hookFailure ??= failure;
}
