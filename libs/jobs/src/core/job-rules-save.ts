import type { NewPart, RequestOf, saveActs } from '@das/contracts';
import type { JobId, PartId } from '@das/kernel';
import {
  type JobFacts,
  type StoredPart,
  freshPartOf,
  jobEnded,
  lastAttemptOf,
  partOpen,
  withAttempts,
} from './job-rules.js';

import { mayStart } from './job-rules-outcome.js';

export type SaveRequest = RequestOf<typeof saveActs>;

/** What a leader's batch says of one job, with what the store has of it. */
export interface SaveInput {
  readonly id: JobId;
  /** Absent: there is no such job. */
  readonly job: JobFacts | undefined;
  /** The stored parts that the batch names, open or not. */
  readonly parts: ReadonlyMap<PartId, StoredPart>;
  readonly request: SaveRequest;
  readonly now: number;
}

export interface SaveDecision {
  readonly inserted: readonly StoredPart[];
  readonly updated: readonly StoredPart[];
  readonly cut: number;
  /** Something of it no longer applies and was left out: the leader reads the job again. */
  readonly stale: boolean;
}

/** Decides what of a batch applies to one job. All of it repeated changes nothing; the rest never breaks the partition of [0, cut). */
export function decideSave(input: SaveInput): SaveDecision {
  const { job, id, request } = input;
  const of = <T extends { readonly job: JobId; readonly generation: number }>(acts: readonly T[]): T[] =>
    acts.filter((act) => act.job === id && act.generation === job?.generation);
  const named = [...request.parts, ...request.cuts, ...request.attempts, ...request.ended].filter((a) => a.job === id);
  if (!job || jobEnded(job.state) || job.state === 'submitted')
    return { inserted: [], updated: [], cut: job?.cut ?? 0, stale: named.length > 0 };
  const made = newParts(input, job, of(request.parts), Math.max(job.cut, ...of(request.cuts).map(({ cut }) => cut)));
  const parts = new Map([...input.parts, ...made.parts.map((part) => [part.part, part] as const)]);
  const touched = new Set<PartId>();
  const otherLife = named.some(({ generation }) => generation !== job.generation);
  let stale = made.stale || otherLife;
  const step = (part: StoredPart | 'stale' | 'same') => {
    if (part === 'stale') stale = true;
    if (typeof part === 'string') return;
    parts.set(part.part, part);
    touched.add(part.part);
  };
  for (const act of of(request.attempts)) step(startAttempt(parts.get(act.part), act, request.act.term, input.now));
  for (const act of of(request.ended)) step(endAttempt(parts.get(act.part), act, input.now));
  const fresh = new Set(made.parts.map(({ part }) => part));
  const inserted = [...fresh].map((part) => parts.get(part)).filter((part) => part !== undefined);
  const updated = [...touched].filter((part) => !fresh.has(part)).map((part) => parts.get(part));
  return { inserted, updated: updated.filter((part) => part !== undefined), cut: made.cut, stale };
}

/** New map parts are taken only if, together, they continue the partition from the stored cut to the new one. */
function newParts(
  { parts }: SaveInput,
  job: JobFacts,
  asked: readonly NewPart[],
  cut: number,
): { parts: StoredPart[]; cut: number; stale: boolean } {
  const unknown = distinct(asked.filter(({ part }) => !parts.has(part)).map(freshPartOf));
  const maps = unknown.filter(({ kind }) => kind === 'map').sort((a, b) => a.from - b.from);
  const steps = unknown.filter(({ kind }) => kind !== 'map');
  const timely = steps.filter((part) => stepFits(job, part));
  const misnamed = asked.some((part) => freshPartOf(part).part !== part.part);
  let at = job.cut;
  const continues = maps.every((part) => part.tries === 0 && part.from === at && (at = part.to) > part.from);
  // A settling job is decided, however much of it was never cut.
  const cuts = job.state !== 'settling' || cut === job.cut;
  const whole = continues && at === cut && cut <= job.items && cuts && !misnamed;
  if (!whole) return { parts: misnamed ? [] : timely, cut: job.cut, stale: true };
  return { parts: [...timely, ...maps], cut, stale: timely.length < steps.length };
}

function distinct(parts: readonly StoredPart[]): StoredPart[] {
  return [...new Map(parts.map((part) => [part.part, part])).values()];
}

function stepFits(job: JobFacts, part: StoredPart): boolean {
  if (part.to !== part.from + 1) return false;
  // A hook comes with its decision only.
  if (part.kind === 'hook') return false;
  if (part.kind === 'split') return job.state === 'splitting';
  return part.kind === 'main' ? job.state === 'running' : job.state === 'gathering';
}

function startAttempt(
  part: StoredPart | undefined,
  act: SaveRequest['attempts'][number],
  term: number,
  now: number,
): StoredPart | 'stale' | 'same' {
  if (!part || !partOpen(part)) return 'stale';
  const known = part.attempts.find(({ attempt }) => attempt === act.attempt);
  if (known) return known.state === 'live' && known.node === act.node ? 'same' : 'stale';
  if (act.attempt <= lastAttemptOf(part) || !mayStart(part, now)) return 'stale';
  const attempt = { attempt: act.attempt, node: act.node, term, state: 'live' as const, startedAt: now };
  return withAttempts(part, [...part.attempts, attempt]);
}

function endAttempt(
  part: StoredPart | undefined,
  act: SaveRequest['ended'][number],
  now: number,
): StoredPart | 'stale' | 'same' {
  const known = part?.attempts.find(({ attempt }) => attempt === act.attempt);
  if (known?.state === 'ended') return 'same';
  if (!part || !partOpen(part) || !known) return 'stale';
  const ended = part.attempts.map((a) =>
    a === known ? { ...a, state: 'ended' as const, why: act.why, endedAt: now } : a,
  );
  return withAttempts(part, ended);
}
