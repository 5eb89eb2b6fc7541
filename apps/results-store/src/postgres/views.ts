import { type OpenPart, limits } from '@das/contracts';
import {
  type StoredPart,
  fittingJson,
  fittingParts,
  openPartOf,
  pages,
  parsePartId,
  partViewOf,
  restOf,
} from '@das/jobs';
import type { PartId } from '@das/kernel';
import { partKindCode, settledCode } from '../database/codes.js';
import type { Database } from '../database/database.js';
import {
  type CountsRow,
  type FactsRow,
  type RecordRow,
  type SumsRow,
  countsColumns,
  countsJoin,
  countsOf,
  findJob,
  nowMs,
  recordColumns,
  recordOf,
  sumsColumns,
  sumsJoin,
  sumsOf,
} from './job-rows.js';
import type { Answer, Ask } from './operations.js';
import { type OpenRow, type SettledRow, openPart, settledPart } from './part-rows.js';

const withCounts = `select ${recordColumns}, ${countsColumns} from jobs j ${countsJoin}`;
const viewOf = (row: RecordRow & CountsRow) => ({ record: recordOf(row), counts: countsOf(row) });

export async function loadJobs(db: Database, { after, job }: Ask<'loadJobs'>): Answer<'loadJobs'> {
  if (job !== undefined) {
    const only = await db.query<RecordRow & CountsRow>(`${withCounts} where id = $1`, [job], 'load-job');
    return { jobs: only.map(viewOf), more: false };
  }
  const rows = await db.query<RecordRow & CountsRow>(
    `${withCounts} where finished_at is null and state <> 'submitted'
     and ($1::text is null or (created_at, id) > (select created_at, id from jobs where id = $1))
     order by created_at, id limit $2`,
    [after ?? null, pages.jobsMax + 1],
    'load-jobs',
  );
  const jobs = fittingJson(rows.slice(0, pages.jobsMax).map(viewOf), limits.pageBytesMax);
  return { jobs, more: jobs.length < rows.length };
}

export async function getJob(db: Database, { job }: Ask<'getJob'>): Answer<'getJob'> {
  const [row] = await db.query<RecordRow & CountsRow>(`${withCounts} where id = $1`, [job], 'load-job');
  return row ? { job: recordOf(row), counts: countsOf(row) } : {};
}

/** Newest first; the cursor is the id of the last job seen. */
export async function listJobs(db: Database, { state, limit, cursor }: Ask<'listJobs'>): Answer<'listJobs'> {
  const rows = await db.query<RecordRow & SumsRow>(
    `select ${recordColumns}, ${sumsColumns} from (
       select * from jobs where ($1::text is null or state = $1)
       and ($2::text is null or (created_at, id) < (select created_at, id from jobs where id = $2))
       order by created_at desc, id desc limit $3) as j ${sumsJoin}
     order by created_at desc, id desc`,
    [state ?? null, cursor ?? null, limit + 1],
  );
  const views = rows.slice(0, limit).map((row) => ({ record: recordOf(row), counts: sumsOf(row) }));
  const page = fittingJson(views, limits.pageBytesMax);
  const last = page.at(-1);
  return {
    jobs: page.map(({ record }) => record),
    counts: page.map(({ counts }) => counts),
    ...(page.length < rows.length && last && { next: last.record.spec.job }),
  };
}

const afterKey = '(kind, from_item, to_item, tries) > ($3, $4, $5, $6)';
const keyOrder = 'kind, from_item, to_item, tries';

/** Where a page of parts begins; before all of them when no id is given. */
function cursorOf(after: PartId | undefined): number[] {
  const name = after === undefined ? undefined : parsePartId(after);
  return name ? [partKindCode(name.kind), name.from, name.to, name.tries] : [-1, 0, 0, 0];
}

/** One statement, the job found within it: a new leader asks for each job, and waits for each answer. */
export async function loadParts(db: Database, { job: id, generation, after }: Ask<'loadParts'>): Answer<'loadParts'> {
  const rows = await db.query<OpenRow & { readonly now: number }>(
    `select *, ${nowMs} as now from open_parts where job_no = (select no from jobs where id = $1) and generation = $2 and ${afterKey}
     order by ${keyOrder} limit $7`,
    [id, generation, ...cursorOf(after), pages.openPartsMax + 1],
    'load-parts',
  );
  if (rows.length === 0) await findJob(db.query, id);
  const parts = fittingParts(
    rows.map((row) => withRest(openPart(row), row.now)),
    limits.pageBytesMax,
  );
  return { parts, more: parts.length < rows.length };
}

const withRest = (part: StoredPart, now: number): OpenPart => openPartOf(part, restOf(part, now));

function openRows(db: Database, job: FactsRow, after: PartId | undefined, limit: number): Promise<OpenRow[]> {
  return db.query<OpenRow>(
    `select * from open_parts where job_no = $1 and generation = $2 and ${afterKey} order by ${keyOrder} limit $7`,
    [job.no, job.generation, ...cursorOf(after), limit],
    'page-open-parts',
  );
}

export async function listParts(db: Database, { job: id, limit, after }: Ask<'listParts'>): Answer<'listParts'> {
  const job = await findJob(db.query, id);
  const open = await openRows(db, job, after, limit + 1);
  const ended = await db.query<SettledRow>(
    `select * from parts where job_no = $1 and generation = $2 and ${afterKey} and state <> ${settledCode('replaced')}
     order by ${keyOrder} limit $7`,
    [job.no, job.generation, ...cursorOf(after), limit + 1],
  );
  const all = distinct([...open.map(openPart), ...ended.map(settledPart)]).sort(byPlace);
  const views = all
    .slice(0, limit)
    .flatMap((part) => (part.state === 'replaced' ? [] : [partViewOf({ ...part, state: part.state })]));
  const parts = fittingJson(views, limits.pageBytesMax);
  return { parts, more: parts.length < all.length };
}

/** A part that was committed between the two reads is in both: the later one counts. */
const distinct = (parts: readonly StoredPart[]): StoredPart[] => [
  ...new Map(parts.map((part) => [part.part, part])).values(),
];

const byPlace = (a: StoredPart, b: StoredPart): number =>
  partKindCode(a.kind) - partKindCode(b.kind) || a.from - b.from || a.to - b.to || a.tries - b.tries;
