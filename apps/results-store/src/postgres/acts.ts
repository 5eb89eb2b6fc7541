import type { Failure, JobState } from '@das/contracts';
import {
  type AdvanceDecision,
  type SaveDecision,
  type StoredPart,
  cancelFailure,
  type PartTally,
  decideAdvance,
  decideCancel,
  decideSave,
  jobEnded,
  parsePartId,
} from '@das/jobs';
import type { JobId, PartId } from '@das/kernel';
import { partKindCode, settledCode } from '../database/codes.js';
import type { Database, Lastly, Query } from '../database/database.js';
import { type FactsRow, failedItems, findRecord, known, lockJobs, nowMs, stateEvent, writeOutbox } from './job-rows.js';
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
const hookCode = partKindCode('hook');
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
  return db.transaction(async (query) => {
    const [term, jobs] = await Promise.all([currentTerm(query), lockJobs(query, [request.job], 'update')]);
    if (term !== request.act.term) return { outcome: 'staleTerm' };
    const job = known(request.job, jobs.get(request.job));
    const decided = decideAdvance(job, await tallyOf(query, job), request, job.now);
    if (decided.to) await moveJob(query, job, decided.to, decided);
    if (decided.parts.length > 0)
      await query(sql.insertOpen(1), [
        JSON.stringify(decided.parts.map((part) => openJson(keyOfPart(job.no, job.generation, part), part))),
      ]);
    const record = await findRecord(query, request.job);
    return { outcome: decided.outcome, ...(record && { job: record }) };
  });
}

/** Open parts are not counted, and failed items only among the few parts that are not committed: no scan grows with the job. */
async function tallyOf(query: Query, { no, generation, state }: FactsRow): Promise<PartTally> {
  const [tally] = await query<PartTally>(
    `select exists (select from open_parts where job_no = $1 and generation = $2)::int as open,
       exists (select from parts where job_no = $1 and generation = $2 and fatal) as fatal,
       (select ${failedItems} from parts where job_no = $1 and generation = $2 and state <> 0) as failed`,
    [no, generation],
    'tally',
  );
  const hook = state === 'settling' ? await hookFailureOf(query, no, generation) : undefined;
  return { ...(tally ?? { open: 0, failed: 0, fatal: false }), hook };
}

async function hookFailureOf(query: Query, jobNo: number, generation: number): Promise<Failure | undefined> {
  const [failed] = await query<{ failure: string }>(
    `select failure from parts where job_no = $1 and generation = $2 and fatal and kind = ${hookCode}`,
    [jobNo, generation],
  );
  return failed && (JSON.parse(failed.failure) as Failure);
}

export function cancelJob(db: Database, { job: id, why }: Ask<'cancelJob'>): Answer<'cancelJob'> {
  return db.transaction(async (query) => {
    const job = (await lockJobs(query, [id], 'update')).get(id);
    const outcome = decideCancel(job?.state);
    if (job && outcome === 'cancelled') await moveJob(query, job, 'cancelled', { failure: cancelFailure(why) });
    const record = await findRecord(query, id);
    return { outcome, ...(record && { job: record }) };
  });
}

type Move = Pick<AdvanceDecision, 'failure' | 'decision' | 'hookFailure'>;

/** Moves a job whose row the caller holds; once it is decided, what is open ends with it. A decision is written once and stays. */
async function moveJob(query: Query, job: FactsRow, to: JobState, move: Move): Promise<void> {
  const { failure, decision, hookFailure } = move;
  if (jobEnded(to) || to === 'settling') await endOpenParts(query, job);
  await query(
    `update jobs set state = $2, failure = $3, decision = coalesce(decision, $4), hook_failure = $5,
     finished_at = ${jobEnded(to) ? nowMs : 'null'} where no = $1`,
    [job.no, to, jsonOf(failure), jsonOf(decision), jsonOf(hookFailure)],
  );
  const told = { ...(failure && { failure }), ...(hookFailure && { hookFailure }) };
  const outcome = decision ? { outcome: decision.outcome } : {};
  await writeOutbox(query, [stateEvent(job.id, job.now, to, job.generation, { ...told, ...outcome })]);
}

const jsonOf = (value: object | undefined): string | null => (value ? JSON.stringify(value) : null);

async function endOpenParts(query: Query, job: FactsRow): Promise<void> {
  await query(
    `with gone as (delete from open_parts where job_no = $1 returning *),
     dropped as (delete from staged_outputs where job_no = $1)
     insert into parts (job_no, generation, kind, from_item, to_item, tries, attempts, state, busy_ms, fatal, failure)
     select job_no, generation, kind, from_item, to_item, tries, attempts, ${settledCode('cancelled')}, 0, false, '' from gone`,
    [job.no],
  );
}
