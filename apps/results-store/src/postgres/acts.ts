import {
  type SaveDecision,
  type StoredPart,
  cancelFailure,
  decideAdvance,
  decideCancel,
  decideSave,
  parsePartId,
} from '@das/jobs';
import type { JobId, PartId } from '@das/kernel';
import { partKindCode } from '../database/codes.js';
import type { Database, Lastly, Query } from '../database/database.js';
import { type FactsRow, findRecord, known, lockJobs, nowMs } from './job-rows.js';
import { moveJob, tallyOf } from './move-job.js';
import type { Answer, Ask } from './operations.js';
import {
  type FoundPart,
  type PartKey,
  findSettledParts,
  keyOf,
  keyOfPart,
  lockOpenParts,
  openJson,
  sql,
} from './part-rows.js';

/** The fence: a leader's act and the claim of a newer term exclude each other. */
async function currentTerm(query: Query): Promise<number> {
  const [row] = await query<{ term: number }>('select term from leadership_term where id = 1 for share', [], 'fence');
  return row?.term ?? 0;
}

export function saveActs(db: Database, request: Ask<'saveActs'>): Answer<'saveActs'> {
  return db.transaction(async (query, lastly) => {
    const named = namedParts(request);
    const [term, jobs] = await Promise.all([currentTerm(query), lockJobs(query, [...named.keys()], 'no key update')]);
    if (term !== request.act.term) return { outcome: 'staleTerm', term, stale: [] };
    const parts = await storedParts(query, jobs, named);
    const heldMs = await heldSince(query, request);
    const decided = [...named.keys()].map((id) => {
      const job = jobs.get(id);
      const mine = new Map(parts.get(job?.no ?? 0)?.map(({ part }) => [part.part, part]));
      return { id, job, decision: decideSave({ id, job, parts: mine, request, now: heldMs ?? job?.now ?? 0 }) };
    });
    const writing = decided.flatMap(({ job, decision }) => (job ? [{ job, decision }] : []));
    writeActs(lastly, writing);
    return { outcome: 'saved', term, stale: decided.filter(({ decision }) => decision.stale).map(({ id }) => id) };
  });
}

/**
 * A hook rests from when its holder can get no confirmation any more: from when its row is held, which may be long after that was asked for.
 * Other batches need not ask for the time once more.
 */
async function heldSince(query: Query, { ended }: Ask<'saveActs'>): Promise<number | undefined> {
  if (!ended.some(({ part }) => parsePartId(part)?.kind === 'hook')) return undefined;
  const [row] = await query<{ now: number }>(`select ${nowMs} as now`);
  return row?.now;
}

/** The parts that a batch names, by job and generation. */
function namedParts(request: Ask<'saveActs'>): Map<JobId, Map<PartId, number>> {
  const named = new Map<JobId, Map<PartId, number>>();
  const of = (job: JobId) => named.get(job) ?? named.set(job, new Map()).get(job);
  for (const { job } of request.cuts) of(job);
  for (const { job, part, generation } of [...request.parts, ...request.attempts, ...request.ended])
    of(job)?.set(part, generation);
  return named;
}

/** Open ones locked; of the rest, those that ended. */
async function storedParts(
  query: Query,
  jobs: ReadonlyMap<JobId, FactsRow>,
  named: ReadonlyMap<JobId, ReadonlyMap<PartId, number>>,
): Promise<Map<number, FoundPart[]>> {
  const keys = [...jobs.values()].flatMap((job) =>
    [...(named.get(job.id) ?? [])].flatMap(([part, generation]) => {
      const key = generation === job.generation ? keyOf(job.no, generation, part) : undefined;
      // A map part at or beyond the cut is new, and the job's lock keeps it so: on the hot path nothing needs to be looked up.
      return key && !(key.k === mapCode && key.f >= job.cut) ? [key] : [];
    }),
  );
  const open = keys.length > 0 ? await lockOpenParts(query, keys) : [];
  const has = new Set(open.map(({ jobNo, generation, part }) => nameOf(keyOfPart(jobNo, generation, part))));
  const settled = await findSettledParts(
    query,
    keys.filter((key) => !has.has(nameOf(key))),
  );
  const byJob = new Map<number, FoundPart[]>();
  for (const found of [...open, ...settled]) byJob.set(found.jobNo, [...(byJob.get(found.jobNo) ?? []), found]);
  return byJob;
}

const mapCode = partKindCode('map');
const nameOf = ({ j, k, f, t, r }: PartKey): string => `${j} ${k} ${f} ${t} ${r}`;

/** All that applies, in one statement. */
function writeActs(lastly: Lastly, writing: readonly { job: FactsRow; decision: SaveDecision }[]): void {
  const rows = (pick: (decision: SaveDecision) => readonly StoredPart[]) =>
    writing.flatMap(({ job, decision }) =>
      pick(decision).map((part) => openJson(keyOfPart(job.no, job.generation, part), part)),
    );
  const inserted = rows(({ inserted }) => inserted);
  const updated = rows(({ updated }) => updated);
  const cuts = writing.filter(({ job, decision }) => decision.cut !== job.cut);
  if (inserted.length + updated.length + cuts.length === 0) return;
  lastly(
    `with made as (${sql.insertOpen(1)}), changed as (${sql.updateOpen(2)})
     update jobs set cut = x.cut from json_to_recordset($3::json) as x(no int, cut bigint) where jobs.no = x.no`,
    [
      JSON.stringify(inserted),
      JSON.stringify(updated),
      JSON.stringify(cuts.map(({ job, decision }) => ({ no: job.no, cut: decision.cut }))),
    ],
    'write-acts',
  );
}

export function advanceJob(db: Database, request: Ask<'advanceJob'>): Answer<'advanceJob'> {
  return db.transaction(async (query, lastly) => {
    const [term, jobs] = await Promise.all([currentTerm(query), lockJobs(query, [request.job], 'update')]);
    if (term !== request.act.term) return { outcome: 'staleTerm' };
    const job = known(request.job, jobs.get(request.job));
    const decided = decideAdvance(job, await tallyOf(query, job), request, job.now);
    if (decided.to) moveJob(lastly, job, decided.to, decided);
    if (decided.parts.length > 0)
      lastly(sql.insertOpen(1), [
        JSON.stringify(decided.parts.map((part) => openJson(keyOfPart(job.no, job.generation, part), part))),
      ]);
    const record = await findRecord(query, request.job);
    return { outcome: decided.outcome, ...(record && { job: record }) };
  });
}

export function cancelJob(db: Database, { job: id, why }: Ask<'cancelJob'>): Answer<'cancelJob'> {
  return db.transaction(async (query, lastly) => {
    const job = (await lockJobs(query, [id], 'update')).get(id);
    const outcome = decideCancel(job?.state);
    if (job && outcome === 'cancelled') moveJob(lastly, job, 'cancelled', { failure: cancelFailure(why) });
    const record = await findRecord(query, id);
    return { outcome, ...(record && { job: record }) };
  });
}
