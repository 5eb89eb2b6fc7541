import type {
  AttemptFinished,
  AttemptRef,
  ExecutorBeat,
  JobCounts,
  JobRecord,
  JobState,
  NewPart,
  OpenPart,
} from '@das/contracts';
import type { JobId, NodeId } from '@das/kernel';
import { assertNever } from '@das/kernel';
import type { AssignerState, JobWork, LiveAttempt } from './assigner-state.js';
import { addPart, endAttempt, learnFrom, removeJob, removePart } from './assigner-parts.js';
import { attemptKey, newJobWork } from './assigner-state.js';
import { forgetNode, hearBeat, judgeNodes } from './assigner-nodes.js';
import { settle } from './assigner-settling.js';
import { hasRun, keepFitness, noteFit, noteUnfit } from './assigner-unfit.js';

/** What the leader learns. Events may be late, doubled or lost: what they carry is compared with what is known. */
export type AssignerEvent =
  | { readonly kind: 'jobWoken'; readonly job: JobId }
  /** A job that was just created and may run; `lines`: its items, where they are small. */
  | { readonly kind: 'jobCreated'; readonly record: JobRecord; readonly lines?: string | undefined }
  /** The store's answer to a load: the record, and the open parts when they were asked for. */
  | {
      readonly kind: 'jobLoaded';
      readonly record: JobRecord;
      readonly counts: JobCounts;
      readonly parts: readonly OpenPart[] | undefined;
      readonly bytesPerItem: number;
    }
  /** Every unfinished job has been taken in once: what is unknown now is nobody's. */
  | { readonly kind: 'allLoaded' }
  /** `succeeded`: all of it is committed, so nobody waits for its nodes to stop. */
  | { readonly kind: 'jobGone'; readonly job: JobId; readonly succeeded?: boolean }
  | { readonly kind: 'attemptFinished'; readonly finished: AttemptFinished }
  | { readonly kind: 'beat'; readonly beat: ExecutorBeat }
  | { readonly kind: 'nodeLost'; readonly node: NodeId; readonly why: string }
  | { readonly kind: 'refused'; readonly node: NodeId; readonly attempts: readonly AttemptRef[]; readonly why: string }
  /** The store left out what no longer applies: read these jobs again. */
  | { readonly kind: 'stale'; readonly jobs: readonly JobId[] }
  | {
      readonly kind: 'advanced';
      readonly job: JobId;
      readonly outcome: 'advanced' | 'partsOpen' | 'decided' | 'jobEnded';
      readonly record?: JobRecord | undefined;
      readonly parts: readonly NewPart[];
    }
  | { readonly kind: 'connection'; readonly up: boolean }
  /** `at`: when the timer fired, which is before its turn came when a save took long; absent: now. */
  | { readonly kind: 'tick'; readonly at?: number };

/** Takes one event in. Decisions follow in `plan`; nothing here sends or saves. */
export function apply(state: AssignerState, event: AssignerEvent, now: number): void {
  switch (event.kind) {
    case 'jobWoken':
      state.loads.add(event.job);
      return;
    case 'jobCreated':
      return jobCreated(state, event.record, event.lines);
    case 'allLoaded':
      state.allLoaded = true;
      return;
    case 'jobLoaded':
      return jobLoaded(state, event, now);
    case 'jobGone':
      return removeJob(state, event.job, event.succeeded !== true);
    case 'attemptFinished':
      return attemptFinished(state, event.finished, now);
    case 'beat':
      return hearBeat(state, event.beat, now);
    case 'nodeLost':
      return forgetNode(state, event.node, event.why, now);
    case 'refused':
      return refused(state, event, now);
    case 'stale':
      for (const job of event.jobs) startReload(state, job);
      return;
    case 'advanced':
      return advanced(state, event, now);
    case 'connection':
      state.connected = event.up;
      // Nobody is judged by the deaf: one full timeout after hearing is back.
      if (event.up) state.deafUntil = Math.max(state.deafUntil, now + state.config.lostMs);
      return;
    case 'tick':
      return judgeNodes(state, event.at ?? now);
    default:
      assertNever(event);
  }
}

/** The job's open parts are read anew; until then nothing is planned for it. */
function startReload(state: AssignerState, id: JobId): void {
  const job = state.jobs.get(id);
  if (job !== undefined) job.reload ??= { finished: new Set(), children: [] };
  state.loads.add(id);
}

/** A new job has no parts: there is nothing to read. */
function jobCreated(state: AssignerState, record: JobRecord, lines = ''): void {
  const id = record.spec.job;
  if (state.jobs.has(id)) return;
  const job = newJobWork(record, { committed: 0, failed: 0, open: 0 });
  // What does not fit what was counted is left to those who fetch it.
  const items = lines.split('\n').length - 1;
  if (items > 0 && items === record.items) job.lines = lines;
  state.jobs.set(id, job);
}

type JobLoaded = Extract<AssignerEvent, { kind: 'jobLoaded' }>;

function jobLoaded(state: AssignerState, event: JobLoaded, now: number): void {
  const { record, parts } = event;
  const id = record.spec.job;
  const known = state.jobs.get(id);
  if (record.finishedAt !== undefined) return removeJob(state, id);
  if (known !== undefined && known.record.generation > record.generation) return;
  if (known !== undefined && known.reload === undefined && known.record.generation === record.generation) {
    return refresh(state, known, event);
  }
  // The parts were not asked for when this was read, and are needed now.
  if (parts === undefined) return void state.loads.add(id);
  takeIn(state, event, parts, now);
}

/** Takes a job as the store has it, with what finished while it was read. */
function takeIn(state: AssignerState, event: JobLoaded, parts: readonly OpenPart[], now: number): void {
  const { record } = event;
  const id = record.spec.job;
  const known = state.jobs.get(id);
  const meanwhile = known?.record.generation === record.generation ? known.reload : undefined;
  const job = newJobWork(record, event.counts);
  job.bytesPerItem = event.bytesPerItem;
  const before = new Map(meanwhile === undefined ? [] : known?.parts);
  if (known !== undefined) replaceJob(state, known, job, meanwhile !== undefined);
  else if (hasRun(record, event.counts)) job.fitAt = now;
  state.jobs.set(id, job);
  for (const part of parts) {
    if (meanwhile?.finished.has(part.part) === true) continue;
    // The store does not count them; a part that no node can run would else go round for ever.
    addPart(state, job, part, now).givenBack = before.get(part.part)?.givenBack ?? 0;
  }
  for (const child of meanwhile?.children ?? []) addPart(state, job, child, now);
}

/** How far a job has come within its generation. */
const stages: readonly JobState[] = ['submitted', 'splitting', 'running', 'gathering', 'settling'];

/** Input arrived, the job was sealed, or the store counted failures that nobody told us of; its open parts are ours to know. */
function refresh(state: AssignerState, job: JobWork, { record, counts, bytesPerItem }: JobLoaded): void {
  job.fatal ??= counts.fatal;
  job.firstFailure ??= counts.firstFailure;
  job.failedStored = Math.max(job.failedStored, counts.failed);
  // The store has parts that we lost sight of, or decided the job when its answer was lost.
  const lostSight = counts.open > 0 && job.parts.size === 0 && !job.advancing;
  const decided = record.decision !== undefined && job.record.decision === undefined;
  if (lostSight || decided) startReload(state, record.spec.job);
  // What was read before we moved the job on says nothing new.
  if (stages.indexOf(record.state) < stages.indexOf(job.record.state) || record.items < job.record.items) return;
  job.record = { ...record, cut: Math.max(record.cut, job.record.cut) };
  job.bytesPerItem = bytesPerItem > 0 ? bytesPerItem : job.bytesPerItem;
  job.progressed = true;
}

/** A re-read job keeps what was learnt; its parts come from the store alone. */
function replaceJob(state: AssignerState, before: JobWork, after: JobWork, sameGeneration: boolean): void {
  for (const part of [...before.parts.values()]) removePart(state, before, part);
  after.msPerItem = before.msPerItem;
  after.measuredItems = before.measuredItems;
  keepFitness(before, after);
  if (sameGeneration) for (const kind of before.ensured) after.ensured.add(kind);
}

function attemptFinished(state: AssignerState, finished: AttemptFinished, now: number): void {
  const job = state.jobs.get(finished.attempt.job);
  if (job === undefined || job.record.generation !== finished.attempt.generation) return;
  if (finished.outcome === 'abandoned' || finished.outcome === 'staleAttempt')
    return attemptGone(state, job, finished, now);
  if (finished.outcome === 'jobEnded') {
    startReload(state, finished.attempt.job);
    return;
  }
  noteFit(job, finished.node, finished.attempt, now);
  if (finished.ended === true) return removeJob(state, finished.attempt.job, false);
  job.reload?.finished.add(finished.attempt.part);
  job.reload?.children.push(...finished.children);
  const part = job.parts.get(finished.attempt.part);
  if (part === undefined) return;
  removePart(state, job, part);
  for (const child of finished.children) addPart(state, job, child, now);
  takeCounts(job, finished);
}

function takeCounts(job: JobWork, finished: AttemptFinished): void {
  if (finished.kind === 'map') {
    job.counts = {
      ...job.counts,
      committed: job.counts.committed + finished.items,
      failed: job.counts.failed + finished.failed.length,
    };
    learnFrom(job, finished.items, finished.busyMs);
  } else if (finished.failed[0] !== undefined) job.fatal ??= finished.failed[0];
  job.firstFailure ??= finished.failed[0];
  job.fatal ??= finished.fatal;
  if (finished.sealed !== undefined) {
    job.record = { ...job.record, sealed: true, items: finished.sealed.items, state: 'running' };
  }
  job.progressed = true;
}

/** The attempt ended without a commit: by its node's word, or because the store had ended it before. */
function attemptGone(state: AssignerState, job: JobWork, finished: AttemptFinished, now: number): void {
  const live = job.parts.get(finished.attempt.part)?.live.get(finished.attempt.attempt);
  if (live === undefined) return;
  const { outcome, unfit, why = 'given back by its node' } = finished;
  if (outcome === 'abandoned' && unfit !== undefined) {
    noteUnfit(state, job, live, unfit, now);
    endAttempt(state, live, why, now);
  } else if (outcome === 'abandoned') givenBack(state, job, live, why, now);
  else startReload(state, finished.attempt.job);
}

/** Goes to another node if there is one; a part that no node can run must not go round for ever. */
function givenBack(state: AssignerState, job: JobWork, live: LiveAttempt, why: string, now: number): void {
  const part = job.parts.get(live.ref.part);
  if (part !== undefined) {
    part.avoid = live.node;
    part.givenBack += 1;
    if (part.givenBack >= state.config.givenBackMax) {
      const message = `${part.part} was given back ${part.givenBack} times; the last reason: ${why}`;
      const failure = { code: 'PART_GIVEN_BACK', message, part: part.part, node: live.node };
      if (part.kind === 'hook') job.hookFailure ??= failure;
      else job.fatal ??= failure;
    }
  }
  endAttempt(state, live, why, now);
}

/** The node took nothing: it drains. Its other attempts go on. */
function refused(state: AssignerState, event: Extract<AssignerEvent, { kind: 'refused' }>, now: number): void {
  const node = state.nodes.get(event.node);
  if (node === undefined) return;
  node.draining = true;
  for (const ref of event.attempts) {
    const live = node.live.get(attemptKey(ref));
    if (live !== undefined) endAttempt(state, live, event.why, now);
  }
}

function advanced(state: AssignerState, event: Extract<AssignerEvent, { kind: 'advanced' }>, now: number): void {
  const job = state.jobs.get(event.job);
  if (job === undefined) return;
  // A late answer, about a job that was read again meanwhile, is older than what is known: its hook may run already.
  const late = !job.advancing || job.record.decision !== undefined;
  job.advancing = false;
  if (event.outcome !== 'advanced') return startReload(state, event.job);
  if (event.record === undefined || event.record.finishedAt !== undefined) return removeJob(state, event.job);
  if (late) return startReload(state, event.job);
  job.record = { ...event.record, cut: Math.max(event.record.cut, job.record.cut) };
  job.progressed = true;
  if (event.record.decision !== undefined) return settle(state, job, now);
  for (const part of event.parts) addPart(state, job, part, now);
}
