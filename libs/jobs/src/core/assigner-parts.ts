import { type Assignment, type NewPart, type OpenPart, limits } from '@das/contracts';
import type { JobId, NodeId } from '@das/kernel';
import {
  type AssignerState,
  type JobWork,
  type LiveAttempt,
  type PartWork,
  attemptKey,
  nodeOf,
} from './assigner-state.js';
import { learn } from './cut.js';
import { isFinalStep } from './job-rules-advance.js';

/** Adds an open part; one that is known already is left as it is. */
export function addPart(state: AssignerState, job: JobWork, open: OpenPart | NewPart, now: number): PartWork {
  const known = job.parts.get(open.part);
  if (known !== undefined) return known;
  const live = 'live' in open ? open.live : [];
  const part: PartWork = {
    part: open.part,
    kind: open.kind,
    from: open.from,
    to: open.to,
    tries: open.tries,
    avoid: 'avoid' in open ? open.avoid : undefined,
    givenBack: 0,
    lastAttempt: 'lastAttempt' in open ? open.lastAttempt : 0,
    restUntil: now + ('restMs' in open ? (open.restMs ?? 0) : 0),
    live: new Map(),
  };
  job.parts.set(part.part, part);
  if (part.kind !== 'map') job.ensured.add(part.kind);
  for (const { attempt, node } of live) addAttempt(state, job, part, attempt, node, now);
  if (part.live.size === 0) job.pending.push(part);
  endLost(state, part, now);
  return part;
}

/** A new leader may hear that a node is gone before it has read what the store assigns to it. */
function endLost(state: AssignerState, part: PartWork, now: number): void {
  for (const live of [...part.live.values()]) {
    const lost = state.lost.get(live.node);
    if (lost !== undefined) endAttempt(state, live, lost.why, now);
  }
}

/** Records a live attempt of the part on the node. */
export function addAttempt(
  state: AssignerState,
  job: JobWork,
  part: PartWork,
  attempt: number,
  node: NodeId,
  now: number,
): LiveAttempt {
  const ref = { job: job.record.spec.job, generation: job.record.generation, part: part.part, attempt };
  const live: LiveAttempt = { ref, node, items: part.to - part.from, sentAt: now, absent: 0, holding: false };
  part.lastAttempt = Math.max(part.lastAttempt, attempt);
  part.live.set(attempt, live);
  nodeOf(state, node, now).live.set(attemptKey(ref), live);
  job.liveAttempts += 1;
  return live;
}

/** Forgets a live attempt; its part is pending again when it was the last one. Unknown attempts are ignored. */
export function removeAttempt(state: AssignerState, live: LiveAttempt): void {
  state.nodes.get(live.node)?.live.delete(attemptKey(live.ref));
  const job = state.jobs.get(live.ref.job);
  const part = job?.parts.get(live.ref.part);
  if (job === undefined || part === undefined || !part.live.delete(live.ref.attempt)) return;
  job.liveAttempts -= 1;
  if (part.live.size === 0) job.pending.push(part);
}

/** Forgets an open part with all its attempts: it was committed, failed, or its job is gone. */
export function removePart(state: AssignerState, job: JobWork, part: PartWork): void {
  for (const live of part.live.values()) {
    state.nodes.get(live.node)?.live.delete(attemptKey(live.ref));
    job.liveAttempts -= 1;
  }
  part.live.clear();
  job.parts.delete(part.part);
  job.pending.delete(part);
}

/** Of the reason that the store keeps. */
const whyChars = 200;

/** Ends a live attempt in the store with the next save. */
export function endAttempt(state: AssignerState, live: LiveAttempt, why: string, now: number): void {
  state.ending.push({ ...live.ref, why: why.slice(0, whyChars) });
  const part = state.jobs.get(live.ref.job)?.parts.get(live.ref.part);
  if (part?.kind === 'hook') part.restUntil = now + limits.hookRestMs;
  removeAttempt(state, live);
}

/** `stopping`: what its nodes still run of it is to be waited for. */
export function removeJob(state: AssignerState, id: JobId, stopping = true): void {
  const job = state.jobs.get(id);
  if (job === undefined) return;
  const nodes = new Set<NodeId>();
  for (const part of [...job.parts.values()]) {
    for (const live of part.live.values()) nodes.add(live.node);
    removePart(state, job, part);
  }
  state.jobs.delete(id);
  state.loads.delete(id);
  if (stopping && nodes.size > 0) state.stopping.set(id, nodes);
}

export function learnFrom(job: JobWork, items: number, busyMs: number): void {
  job.msPerItem = learn(job.msPerItem, items, busyMs);
  job.measuredItems = Math.max(job.measuredItems, items);
}

/** Whether its commit leaves the job nothing to do but to succeed; the store looks again. */
function isLast({ record, parts, ensured }: JobWork, { kind }: PartWork): boolean {
  const { state, cut, items, spec } = record;
  const { reduce, gather, on_success: hook } = spec.functions;
  if (parts.size > 1 || cut < items || hook === true || (kind === 'gather' && !ensured.has('gather'))) return false;
  return isFinalStep(kind, state, { reduces: reduce, gathers: gather });
}

const linesOf = (lines: string, { from, to }: PartWork): string =>
  lines
    .split('\n')
    .slice(from, to)
    .map((line) => `${line}\n`)
    .join('');

export function assignmentOf(job: JobWork, part: PartWork, attempt: number): Assignment {
  const { spec, generation, sealed, items, decision } = job.record;
  return {
    job: spec.job,
    generation,
    part: part.part,
    attempt,
    kind: part.kind,
    from: part.from,
    to: part.to,
    tries: part.tries,
    ...(sealed ? { items } : {}),
    ...(part.kind === 'hook' ? { decision } : {}),
    ...(part.kind === 'map' && job.lines ? { lines: linesOf(job.lines, part) } : {}),
    ...(isLast(job, part) ? { last: true } : {}),
  };
}
