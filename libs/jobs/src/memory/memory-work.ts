import { type OutputRow, type PartKind, type ReplyOf, type RequestOf, isWeak } from '@das/contracts';
import type * as contracts from '@das/contracts';
import type { JobId, PartId } from '@das/kernel';
import { type Committed, decideCommit } from '../core/commit.js';
import { checkRows, rowInside } from '../core/commit-check.js';
import {
  type PartTally,
  decideAdvance,
  decideCancel,
  endedAlready,
  endsWith,
  isWhole,
} from '../core/job-rules-advance.js';
import { liveIn } from '../core/job-rules-input.js';
import { decideSave } from '../core/job-rules-save.js';
import { jobEnded, openPartOf, partOpen } from '../core/job-rules.js';
import { cancelFailure, pages, tooMuchStaged } from '../ports/pages.js';
import { slices } from '../ports/checked-input.js';
import {
  type MemoryJob,
  type MemoryRow,
  type MemoryWorld,
  countsOf,
  factsOf,
  jobOf,
  moveJob,
  recordOf,
} from './memory-data.js';
import { restartSplit } from './memory-input.js';

type Ask<O> = RequestOf<O>;

export function saveActs(
  world: MemoryWorld,
  request: Ask<typeof contracts.saveActs>,
): ReplyOf<typeof contracts.saveActs> {
  const { data, clock } = world;
  const { term } = data;
  if (request.act.term !== term) return { outcome: 'staleTerm', term, stale: [] };
  const acts = [...request.parts, ...request.cuts, ...request.attempts, ...request.ended];
  const stale: JobId[] = [];
  for (const id of new Set(acts.map((act) => act.job))) {
    const job = data.jobs.get(id);
    const now = clock.now();
    const decision = decideSave({ id, job: job && factsOf(job), parts: job?.parts ?? new Map(), request, now });
    for (const part of [...decision.inserted, ...decision.updated]) job?.parts.set(part.part, part);
    if (job) job.cut = decision.cut;
    if (decision.stale) stale.push(id);
  }
  return { outcome: 'saved', term, stale };
}

export function advanceJob(
  world: MemoryWorld,
  request: Ask<typeof contracts.advanceJob>,
): ReplyOf<typeof contracts.advanceJob> {
  if (request.act.term !== world.data.term) return { outcome: 'staleTerm' };
  const job = jobOf(world, request.job);
  const tally = { ...tallyOf(job), hook: hookFailureOf(job) };
  const decided = decideAdvance(factsOf(job), tally, request, world.clock.now());
  job.decision ??= decided.decision;
  job.hookFailure ??= decided.hookFailure;
  if (decided.to) moveJob(world, job, decided.to, decided.failure);
  for (const part of decided.parts) job.parts.set(part.part, part);
  return { outcome: decided.outcome, job: recordOf(job) };
}

function tallyOf(job: MemoryJob): PartTally {
  const { open, failed, fatal } = countsOf(job);
  return { open, failed, fatal: fatal !== undefined };
}

const hookFailureOf = (job: MemoryJob) =>
  [...job.parts.values()].find(({ kind, state }) => kind === 'hook' && state === 'failed')?.failure;

export function cancelJob(
  world: MemoryWorld,
  request: Ask<typeof contracts.cancelJob>,
): ReplyOf<typeof contracts.cancelJob> {
  const job = world.data.jobs.get(request.job);
  const outcome = decideCancel(job?.state);
  if (!job) return { outcome };
  if (outcome === 'cancelled') moveJob(world, job, 'cancelled', cancelFailure(request.why));
  return { outcome, job: recordOf(job) };
}

export function stageOutput(
  world: MemoryWorld,
  { attempt, run, rows }: Ask<typeof contracts.stageOutput>,
  raw: Uint8Array,
): ReplyOf<typeof contracts.stageOutput> {
  const job = jobOf(world, attempt.job);
  if (jobEnded(job.state)) return { outcome: 'jobEnded' };
  const part = job.parts.get(attempt.part);
  if (attempt.generation !== job.generation || !part || !liveIn(part, attempt.attempt))
    return { outcome: 'staleAttempt' };
  checkRows(part, [part], rows);
  const key = stagedKey(attempt, run);
  const staged = new Map(job.staged.get(key));
  for (const row of storedRows(rows, raw)) staged.set(placeOf(row), row);
  if (staged.size > pages.stagedRowsMax) throw tooMuchStaged();
  job.staged.set(key, staged);
  return { outcome: 'staged' };
}

const stagedKey = ({ part, attempt }: { part: string; attempt: number }, run = ''): string =>
  `${part} ${attempt} ${run}`;
const placeOf = (row: OutputRow): string => `${row.kind} ${row.bucket} ${row.from} ${row.seq}`;

function storedRows(rows: readonly OutputRow[], raw: Uint8Array): MemoryRow[] {
  const data = slices(rows, raw);
  return rows.map((row, i) => ({ ...row, failed: false, data: (data[i] ?? new Uint8Array()).slice() }));
}

export function commitPart(
  world: MemoryWorld,
  request: Ask<typeof contracts.commitPart>,
  raw: Uint8Array,
): ReplyOf<typeof contracts.commitPart> {
  const job = jobOf(world, request.attempt.job);
  const rows = storedRows(request.rows, raw);
  const part = job.parts.get(request.attempt.part);
  const decision = decideCommit({ job: factsOf(job), part, request, now: world.clock.now() });
  if (decision.outcome === 'itemsDiffer') {
    restartSplit(world, { attempt: request.attempt, why: decision.why });
    return { outcome: 'staleAttempt', children: [], failed: [] };
  }
  if (decision.outcome === 'alreadyCommitted') {
    const stored = (ids: readonly PartId[]) => ids.flatMap((id) => job.parts.get(id) ?? []);
    return {
      outcome: 'alreadyCommitted',
      children: stored(decision.children).filter(partOpen).map(openPartOf),
      failed: stored(decision.failed).flatMap((failed) => failed.failure ?? []),
      ...(endedAlready(request, factsOf(job)) && { ended: true }),
    };
  }
  if (decision.outcome === 'committed') {
    const staged = [...job.staged.keys()].some((key) => key.startsWith(`${request.attempt.part} `));
    apply(world, job, request, rows, decision);
    const told = { children: decision.children.map(openPartOf), failed: [...decision.failed] };
    if (request.last !== true || !part || !endIfOver(world, job, part.kind)) return { outcome: 'committed', ...told };
    return {
      outcome: 'committed',
      ...told,
      ended: true,
      ...(!staged && isWhole(part, factsOf(job), request.rows) && { whole: true }),
    };
  }
  return { outcome: decision.outcome, children: [], failed: [] };
}

function endIfOver(world: MemoryWorld, job: MemoryJob, kind: PartKind): boolean {
  const over = endsWith(kind, { ...factsOf(job), gathers: job.spec.functions.gather }, tallyOf(job));
  if (over) moveJob(world, job, 'succeeded');
  return over;
}

function apply(
  world: MemoryWorld,
  job: MemoryJob,
  request: Ask<typeof contracts.commitPart>,
  rows: readonly MemoryRow[],
  decision: Committed,
): void {
  const staged = job.staged.get(stagedKey(request.attempt, request.run))?.values() ?? [];
  const kind = job.parts.get(request.attempt.part)?.kind ?? 'map';
  const kept = [...staged].filter((row) => rowInside(kind, request.done, row));
  for (const row of [...kept, ...rows, ...decision.errorLines.map(errorRow)]) job.outputs.set(placeOf(row), row);
  for (const part of [...decision.settled, ...decision.children]) job.parts.set(part.part, part);
  for (const key of [...job.staged.keys()]) if (key.startsWith(`${request.attempt.part} `)) job.staged.delete(key);
  if (isWeak(request.sandbox)) job.sandboxes = [...new Set([...(job.sandboxes ?? []), request.sandbox])].sort();
  if (decision.sealed === undefined) return;
  job.sealed = true;
  moveJob(world, job, 'running');
}

function errorRow({ item, text }: { item: number; text: string }): MemoryRow {
  const data = new TextEncoder().encode(text);
  return { kind: 'map', bucket: 0, from: item, to: item + 1, seq: 0, bytes: data.length, failed: true, data };
}
