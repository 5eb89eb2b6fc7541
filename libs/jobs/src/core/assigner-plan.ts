import type { Assignment, AttemptRef, Failure, JobSpec, JobState, NewPart } from '@das/contracts';
import { limits } from '@das/contracts';
import type { JobId, NodeId } from '@das/kernel';
import { nextStep } from './assigner-next.js';
import type { AssignerState, JobWork, LiveAttempt, NodeWork, PartWork } from './assigner-state.js';
import { addAttempt, addPart, assignmentOf } from './assigner-parts.js';
import { failedItems, slotsOf } from './assigner-state.js';
import { failUnfit, mayTake, noteTrial } from './assigner-unfit.js';
import { nextPartItems } from './cut.js';
import { partIdOf } from './part-id.js';

/** What the shell does next, in this order: save as one transaction, then send concurrently, then advance. */
export interface Plan {
  readonly parts: NewPart[];
  readonly cuts: Array<{ readonly job: JobId; readonly generation: number; readonly cut: number }>;
  readonly attempts: Array<AttemptRef & { readonly node: NodeId }>;
  readonly ended: Array<AttemptRef & { readonly why: string }>;
  readonly sends: Send[];
  readonly drops: Array<{ readonly node: NodeId; readonly attempts: readonly AttemptRef[] }>;
  readonly advances: Advance[];
  readonly loads: JobId[];
  readonly notes: Array<{ readonly job: JobId; readonly message: string }>;
}
export interface Send {
  readonly node: NodeId;
  readonly spec: JobSpec;
  readonly assignments: Assignment[];
}
export interface Advance {
  readonly job: JobId;
  readonly generation: number;
  readonly to: JobState;
  readonly parts: readonly NewPart[];
  readonly failure: Failure | undefined;
  /** Failed items as the leader counts them: the store refuses to move a job on when it counts others. */
  readonly failed: number;
}

/** Whether a plan has anything for the store to write before it is sent. */
export const mustSave = (plan: Plan): boolean =>
  plan.parts.length + plan.cuts.length + plan.attempts.length + plan.ended.length > 0;

/** Turns what is known into decisions and takes them as done: should the save fail, the state is dropped and loaded anew. */
export function plan(state: AssignerState, now: number): Plan {
  const planned: Plan = {
    parts: [],
    cuts: [],
    attempts: [],
    ended: state.ending.splice(0),
    sends: [],
    drops: state.drops.splice(0),
    advances: [],
    loads: [...state.loads],
    notes: [],
  };
  state.loads.clear();
  resend(state, planned);
  for (const job of state.jobs.values()) moveOn(state, job, planned, now);
  planned.notes.push(...state.notes.splice(0));
  const cut = new Set<JobWork>();
  const passed = new Set<JobWork>();
  for (let left = state.config.batchMax; left > 0; left -= 1) {
    const job = neediest(state, passed, now);
    if (job === undefined) break;
    if (assignOne(state, job, planned, cut, now)) continue;
    // Without room for the neediest there is none for others, unless it cannot use what room there is.
    if (job.unfit.size === 0) break;
    passed.add(job);
  }
  for (const { record } of cut)
    planned.cuts.push({ job: record.spec.job, generation: record.generation, cut: record.cut });
  return planned;
}

/** What is believed of a job that is being read again may never have been saved: it is not sent. */
function resend(state: AssignerState, planned: Plan): void {
  for (const live of state.resend.splice(0)) {
    const job = state.jobs.get(live.ref.job);
    if (job === undefined || job.reload !== undefined) continue;
    const part = job.parts.get(live.ref.part);
    if (part?.live.has(live.ref.attempt) === true) addSend(planned, job, part, live);
  }
}

/** The batch is saved, and goes out only now: beats that were heard while it was being saved say nothing about it. */
export function sendsGoOut(state: AssignerState, planned: Plan, now: number): void {
  for (const { assignments } of planned.sends) {
    for (const { job, part, attempt } of assignments) {
      const live = state.jobs.get(job)?.parts.get(part)?.live.get(attempt);
      if (live !== undefined) live.sentAt = now;
    }
  }
  // The store counts a hook's rest from when it holds the row, which a slow save does late: a start before would be refused.
  for (const { job, part } of planned.ended) {
    const hook = state.jobs.get(job)?.parts.get(part);
    if (hook?.kind === 'hook') hook.restUntil = now + limits.hookRestMs;
  }
}

function moveOn(state: AssignerState, job: JobWork, planned: Plan, now: number): void {
  if (job.reload !== undefined || job.advancing) return;
  failUnfit(state, job, now);
  const next = nextStep(job);
  if (next.kind === 'save') {
    planned.parts.push(next.part);
    addPart(state, job, next.part, now);
  } else if (next.kind === 'advance') {
    job.advancing = true;
    const { spec, generation } = job.record;
    const { to, parts, failure } = next;
    planned.advances.push({ job: spec.job, generation, to, parts, failure, failed: failedItems(job) });
  }
}

/** Gives one part of the job to the node with the most room. False: no node has any. */
function assignOne(state: AssignerState, job: JobWork, planned: Plan, cut: Set<JobWork>, now: number): boolean {
  const pending = job.pending.peek();
  const items = pending === undefined ? nextSize(state, job) : pending.to - pending.from;
  const node = roomiest(state, job, pending, items, now);
  if (node === undefined) return false;
  const part = pending ?? cutPart(state, job, items, planned, now);
  if (pending === undefined) cut.add(job);
  job.pending.delete(part);
  const live = addAttempt(state, job, part, part.lastAttempt + 1, node.node, now);
  noteTrial(job, live, now);
  planned.attempts.push({ ...live.ref, node: node.node });
  addSend(planned, job, part, live);
  return true;
}

/** The job that is furthest below its fair share. */
function neediest(state: AssignerState, passed: ReadonlySet<JobWork>, now: number): JobWork | undefined {
  let best: JobWork | undefined;
  let bestShare = Number.POSITIVE_INFINITY;
  for (const job of state.jobs.values()) {
    if (passed.has(job) || !hasWork(job, now)) continue;
    const share = (job.liveAttempts + 1) / job.record.spec.limits.priority;
    if (share < bestShare) [best, bestShare] = [job, share];
  }
  return best;
}

function hasWork(job: JobWork, now: number): boolean {
  if (job.reload !== undefined || job.advancing) return false;
  const { concurrency } = job.record.spec.limits;
  if (concurrency !== undefined && job.liveAttempts >= concurrency) return false;
  const pending = job.pending.peek();
  // A hook is the only part of its job: nothing waits behind one that rests.
  return pending === undefined ? hasUncut(job) : pending.restUntil <= now;
}

const hasUncut = ({ record }: JobWork): boolean =>
  record.cut < record.items && (record.state === 'running' || record.state === 'splitting');

/** Prefers the contact node for steps and another node than the last failure's; then the most free slots per slot. */
function roomiest(
  state: AssignerState,
  job: JobWork,
  part: PartWork | undefined,
  items: number,
  now: number,
): NodeWork | undefined {
  let best: NodeWork | undefined;
  let bestScore = Number.NEGATIVE_INFINITY;
  const step = part !== undefined && part.kind !== 'map' && part.kind !== 'reduce';
  for (const node of state.nodes.values()) {
    if (!mayTake(job, node, now) || !hasRoom(state, node, job, items)) continue;
    let score = (node.slots - node.live.size) / node.slots;
    // A node that refused before is asked again with what would have to wait elsewhere.
    if (job.unfit.has(node.node)) score -= 1;
    else if (step && node.node === job.record.spec.contact) score += 1_000;
    if (part?.avoid === node.node) score -= 1_000;
    if (score > bestScore) [best, bestScore] = [node, score];
  }
  return best;
}

function hasRoom(state: AssignerState, node: NodeWork, job: JobWork, items: number): boolean {
  if (node.draining || node.slots === 0) return false;
  const queued = node.live.size - node.slots;
  if (queued < 0) return true;
  if (job.msPerItem === undefined || queued >= state.config.queuedParts * node.slots) return false;
  return (queued + 1) * items * job.msPerItem <= state.config.queuedMs * node.slots;
}

function nextSize(state: AssignerState, job: JobWork): number {
  const { record } = job;
  const input = {
    remaining: record.items - record.cut,
    slots: slotsOf(state),
    msPerItem: job.msPerItem,
    measuredItems: job.measuredItems,
    bytesPerItem: job.bytesPerItem,
    fixed: record.spec.limits.itemsPerPart,
  };
  return nextPartItems(input, state.config);
}

function cutPart(state: AssignerState, job: JobWork, items: number, planned: Plan, now: number): PartWork {
  const { spec, generation, cut: from } = job.record;
  const to = from + items;
  const part: NewPart = {
    job: spec.job,
    generation,
    part: partIdOf('map', from, to, 0),
    kind: 'map',
    from,
    to,
    tries: 0,
  };
  planned.parts.push(part);
  job.record = { ...job.record, cut: to };
  return addPart(state, job, part, now);
}

/** Assignments of one job to one node travel together. */
const assignmentsPerSend = 64;

function addSend(planned: Plan, job: JobWork, part: PartWork, live: LiveAttempt): void {
  const assignment = assignmentOf(job, part, live.ref.attempt);
  const last = planned.sends.findLast((send) => send.node === live.node && send.spec === job.record.spec);
  if (last !== undefined && last.assignments.length < assignmentsPerSend) last.assignments.push(assignment);
  else planned.sends.push({ node: live.node, spec: job.record.spec, assignments: [assignment] });
}
