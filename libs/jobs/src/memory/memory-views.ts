import {
  type JobCounts,
  type OpenPart,
  type PartState,
  type PartView,
  type ReplyOf,
  type RequestOf,
  limits,
} from '@das/contracts';
import type * as contracts from '@das/contracts';
import type { PartId } from '@das/kernel';
import { outputPage } from '../core/job-rules-pages.js';
import { restOf } from '../core/job-rules-outcome.js';
import { type StoredPart, jobEnded, openPartOf, partOpen, partViewOf } from '../core/job-rules.js';
import { fittingJson, fittingParts, pages } from '../ports/pages.js';
import type { WithRaw } from '../ports/result-store.js';
import { type MemoryJob, type MemoryWorld, byPlace, countsOf, jobOf, recordOf } from './memory-data.js';

type Ask<O> = RequestOf<O>;

const created = (jobs: Iterable<MemoryJob>): MemoryJob[] =>
  [...jobs].sort((a, b) => a.createdAt - b.createdAt || (a.spec.job < b.spec.job ? -1 : 1));

export function loadJobs(
  world: MemoryWorld,
  { after, job }: Ask<typeof contracts.loadJobs>,
): ReplyOf<typeof contracts.loadJobs> {
  const view = (j: MemoryJob) => ({ record: recordOf(j), counts: countsOf(j) });
  if (job !== undefined) {
    const only = world.data.jobs.get(job);
    return { jobs: only ? [view(only)] : [], more: false };
  }
  const all = created(world.data.jobs.values());
  const rest = all
    .slice(all.findIndex((j) => j.spec.job === after) + 1)
    .filter(({ state }) => state !== 'submitted' && !jobEnded(state));
  return { jobs: rest.slice(0, pages.jobsMax).map(view), more: rest.length > pages.jobsMax };
}

export function loadParts(
  world: MemoryWorld,
  request: Ask<typeof contracts.loadParts>,
): ReplyOf<typeof contracts.loadParts> {
  const job = jobOf(world, request.job);
  if (request.generation !== job.generation) return { parts: [], more: false };
  const { page, more } = partsAfter(job, partOpen, request.after, pages.openPartsMax);
  const parts = fittingParts(
    page.map((part): OpenPart => openPartOf(part, restOf(part, world.clock.now()))),
    limits.pageBytesMax,
  );
  return { parts, more: more || parts.length < page.length };
}

export function listParts(
  world: MemoryWorld,
  request: Ask<typeof contracts.listParts>,
): ReplyOf<typeof contracts.listParts> {
  const job = jobOf(world, request.job);
  const { page, more } = partsAfter(job, ({ state }) => state !== 'replaced', request.after, request.limit);
  const parts = page.map((part): PartView => partViewOf(part as StoredPart & { state: PartState }));
  const fitting = fittingJson(parts, limits.pageBytesMax);
  return { parts: fitting, more: more || fitting.length < parts.length };
}

function partsAfter(job: MemoryJob, wanted: (part: StoredPart) => boolean, after: PartId | undefined, max: number) {
  const all = [...job.parts.values()].sort(byPlace);
  const rest = all.slice(all.findIndex(({ part }) => part === after) + 1).filter(wanted);
  return { page: rest.slice(0, max), more: rest.length > max };
}

export function readOutput(
  world: MemoryWorld,
  request: Ask<typeof contracts.readOutput>,
): WithRaw<ReplyOf<typeof contracts.readOutput>> {
  const job = jobOf(world, request.job);
  const { after, kind, bucket } = request;
  const rows = [...job.outputs.values()]
    .filter((row) => row.kind === kind && row.bucket === bucket)
    .filter((row) => !after || row.from > after.from || (row.from === after.from && row.seq > after.seq))
    .sort((a, b) => a.from - b.from || a.seq - b.seq);
  const page = outputPage(rows, request, true, limits.pageBytesMax);
  const { state, generation } = job;
  const heads = page.rows.map(({ data: _, ...head }) => head);
  return {
    reply: { rows: heads, more: page.more, state, generation },
    raw: Buffer.concat(page.rows.map(({ data }) => data)),
  };
}

export function getJob(world: MemoryWorld, request: Ask<typeof contracts.getJob>): ReplyOf<typeof contracts.getJob> {
  const job = world.data.jobs.get(request.job);
  return job ? { job: recordOf(job), counts: countsOf(job) } : {};
}

/** Newest first; the cursor is the id of the last job seen. */
export function listJobs(
  world: MemoryWorld,
  request: Ask<typeof contracts.listJobs>,
): ReplyOf<typeof contracts.listJobs> {
  const all = created(world.data.jobs.values()).reverse();
  const rest = all
    .slice(all.findIndex((job) => job.spec.job === request.cursor) + 1)
    .filter(({ state }) => request.state === undefined || state === request.state);
  const views = rest.slice(0, request.limit).map((job) => ({ record: recordOf(job), counts: listedCounts(job) }));
  const page = fittingJson(views, limits.pageBytesMax);
  const last = page.at(-1);
  return {
    jobs: page.map(({ record }) => record),
    counts: page.map(({ counts }) => counts),
    ...(rest.length > page.length && last && { next: last.record.spec.job }),
  };
}

function listedCounts(job: MemoryJob): JobCounts {
  const { committed, failed, open } = countsOf(job);
  return { committed, failed, open };
}
