import { type AttemptRef, type Failure, type JobCounts, type JobRecord, limits } from '@das/contracts';
import type { NodeId } from '@das/kernel';
import { type AssignerState, type JobWork, type LiveAttempt, type NodeWork, attemptKey } from './assigner-state.js';

/*
 * Nodes that can run nothing of a job: they lack what it needs, as a virtual environment. They said so when they were given a part. They are asked again
 * when they were started anew, and by one part now and then: they may have been put right.
 */

/** Nobody who is here can run a job: it waits this long for a node that may and is away. Nodes that are restarted one after the other take minutes (ms). */
export const awayMs = 5 * 60_000;
/** A node that refused a job may be given a part of it again after this long (ms). */
export const askAgainMs = 60_000;

export function noteUnfit(state: AssignerState, job: JobWork, live: LiveAttempt, why: Failure, now: number): void {
  const known = job.unfit.get(live.node);
  if (known === undefined) tell(state, job, `${live.node} cannot run this job: ${why.message}`);
  const trial = known?.trial === attemptKey(live.ref) ? undefined : known?.trial;
  job.unfit.set(live.node, { why, askedAt: now, trial });
}

/** The attempt runs, or ran: its node can. One that was given before the node refused says nothing about the parts after it. */
export function noteFit(job: JobWork, node: NodeId, ref: AttemptRef, now: number): void {
  job.fitAt = now;
  if (job.unfit.get(node)?.trial === attemptKey(ref)) job.unfit.delete(node);
}

/** Whether some node could run it before this leader knew it. */
export function hasRun({ state, spec, items, decision }: JobRecord, { committed }: JobCounts): boolean {
  const wasSplit = spec.functions.split && items > 0;
  return committed > 0 || wasSplit || state === 'gathering' || decision?.outcome === 'succeeded';
}

/** The node was started anew: what it lacked it may have now. */
export function forgetUnfit(state: AssignerState, node: NodeId): void {
  for (const job of state.jobs.values()) job.unfit.delete(node);
}

/** A job that is read again keeps what was learnt of its nodes. */
export function keepFitness(before: JobWork, after: JobWork): void {
  for (const [node, refusal] of before.unfit) after.unfit.set(node, refusal);
  after.fitAt = before.fitAt;
  after.toldUnfit = before.toldUnfit;
}

/** Whether the node may be given a part of the job: not while it is known to refuse it, nor while one part tries whether it still does. */
export function mayTake(job: JobWork, node: NodeWork, now: number): boolean {
  const refusal = job.unfit.get(node.node);
  return refusal === undefined || (now - refusal.askedAt >= askAgainMs && !isTried(job, node));
}

/** A part went to a node: if that refused the job before, it is asked by this part alone. */
export function noteTrial(job: JobWork, live: LiveAttempt, now: number): void {
  const refusal = job.unfit.get(live.node);
  if (refusal !== undefined) job.unfit.set(live.node, { ...refusal, askedAt: now, trial: attemptKey(live.ref) });
}

function isTried(job: JobWork, node: NodeWork): boolean {
  const trial = job.unfit.get(node.node)?.trial;
  return trial !== undefined && node.live.has(trial);
}

/**
 * A job that no node can run would wait for ever: it fails, at once where no node was ever known that could, else once such a node was away for long.
 * Nobody is judged while there may be others that were not heard yet.
 */
export function failUnfit(state: AssignerState, job: JobWork, now: number): void {
  if (job.unfit.size === 0 || now < state.deafUntil) return;
  const refusals: Array<readonly [NodeId, Failure]> = [];
  for (const node of state.nodes.values()) {
    const refusal = job.unfit.get(node.node);
    if (refusal === undefined) job.toldUnfit = false;
    if (refusal === undefined || isTried(job, node)) return;
    refusals.push([node.node, refusal.why]);
  }
  const [first] = refusals;
  if (first === undefined) return;
  const words = refusals.map(([node, { message }]) => `${node}: ${message}`).join('; ');
  const away = awayOf(state, job, now);
  if (away.length > 0 || (job.fitAt !== undefined && now - job.fitAt < awayMs))
    return tellWait(state, job, away, words);
  const failure = { ...first[1], message: bounded(`no node can run this job: ${words}`) };
  if (job.record.decision === undefined) job.fatal ??= failure;
  else job.hookFailure ??= failure;
}

/** Nodes that were lost not long ago, and never refused the job. */
function awayOf(state: AssignerState, job: JobWork, now: number): NodeId[] {
  const away: NodeId[] = [];
  for (const [node, { at }] of state.lost) if (now - at < awayMs && !job.unfit.has(node)) away.push(node);
  return away;
}

/** Of nodes that are away, in a note. */
const namesMax = 5;

/** Once, until there is a node again that may run it. */
function tellWait(state: AssignerState, job: JobWork, away: readonly NodeId[], words: string): void {
  if (job.toldUnfit) return;
  job.toldUnfit = true;
  const names = away.length === 0 ? '' : ` (away: ${away.slice(-namesMax).join(', ')})`;
  const minutes = awayMs / 60_000;
  tell(state, job, `no node can run this job now; it waits ${minutes} minutes for one that can${names}: ${words}`);
}

function tell(state: AssignerState, job: JobWork, message: string): void {
  state.notes.push({ job: job.record.spec.job, message: bounded(message) });
}

const bounded = (message: string): string => message.slice(0, limits.messageChars);
