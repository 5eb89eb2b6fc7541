import {
  type Decision,
  type Failure,
  Fault,
  type JobCounts,
  type JobEvent,
  type JobRecord,
  type JobSpec,
  type JobState,
  type WeakSandbox,
  weakSandboxSchema,
} from '@das/contracts';
import type { JobFacts } from '@das/jobs';
import type { JobId } from '@das/kernel';
import { partKindCode, settledCode } from '../database/codes.js';
import type { Lastly, Query } from '../database/database.js';

/** Milliseconds by the database's clock. */
export const nowMs = '(extract(epoch from clock_timestamp()) * 1000)::bigint';

/** What the rules need of a job. */
export interface FactsRow {
  readonly no: number;
  readonly id: JobId;
  readonly state: JobState;
  readonly generation: number;
  readonly sealed: boolean;
  readonly items: number;
  readonly cut: number;
  readonly retries: number;
  readonly reduces: boolean;
  readonly onSuccess: boolean;
  readonly onFailure: boolean;
  readonly decision: Decision | null;
  readonly ran_landlock: boolean;
  readonly ran_none: boolean;
  /** The database's time when the row was read (ms). */
  readonly now: number;
}
const factColumns = `no, id, state, generation, sealed, items, cut, retries, reduces, on_success as "onSuccess", on_failure as "onFailure",
  decision, ran_landlock, ran_none`;

export interface RecordRow extends FactsRow {
  readonly spec: string;
  readonly failure: string | null;
  readonly hook_failure: string | null;
  readonly created_at: number;
  readonly finished_at: number | null;
}
export const recordColumns = `${factColumns}, spec, failure, hook_failure, created_at, finished_at, ${nowMs} as now`;

/**
 * `key share`: a commit; others may commit, cut and append beside it. `no key update`: cut or append. `update`: the job moves on or ends,
 * and nobody else acts meanwhile.
 */
export type JobLock = 'key share' | 'no key update' | 'update';

/** Locks jobs in one order, whoever asks: by number. Jobs that do not exist are left out. */
export async function lockJobs(query: Query, ids: readonly JobId[], lock: JobLock): Promise<Map<JobId, FactsRow>> {
  const text = `select ${factColumns}, ${nowMs} as now from jobs where id = any($1) order by no for ${lock}`;
  const rows = await query<FactsRow>(text, [ids], `lock-jobs-${lock}`);
  return new Map(rows.map((row) => [row.id, row]));
}

/** @throws Fault JOB_NOT_FOUND */
export async function lockJob(query: Query, id: JobId, lock: JobLock): Promise<FactsRow> {
  return known(id, (await lockJobs(query, [id], lock)).get(id));
}

/** Reads a job without a lock. @throws Fault JOB_NOT_FOUND */
export async function findJob(query: Query, id: JobId): Promise<FactsRow> {
  return known(id, await findFacts(query, id));
}

/** As {@link findJob}, of a job that may be gone. */
export async function findFacts(query: Query, id: JobId): Promise<FactsRow | undefined> {
  const [row] = await query<FactsRow>(
    `select ${factColumns}, ${nowMs} as now from jobs where id = $1`,
    [id],
    'find-job',
  );
  return row;
}

export async function findRecord(query: Query, id: JobId): Promise<JobRecord | undefined> {
  const [row] = await query<RecordRow>(`select ${recordColumns} from jobs where id = $1`, [id], 'find-record');
  return row && recordOf(row);
}

/** @throws Fault JOB_NOT_FOUND when there is no row */
export function known<T>(id: JobId, row: T | undefined): T {
  if (row === undefined) throw new Fault('JOB_NOT_FOUND', `there is no job ${id}`);
  return row;
}

export function recordOf(row: RecordRow): JobRecord {
  const { state, generation, sealed, items, cut } = row;
  return {
    ...{ spec: JSON.parse(row.spec) as JobSpec, state, generation, sealed, items, cut, createdAt: row.created_at },
    ...(row.failure !== null && { failure: JSON.parse(row.failure) as Failure }),
    ...(row.decision !== null && { decision: row.decision }),
    ...(row.hook_failure !== null && { hookFailure: JSON.parse(row.hook_failure) as Failure }),
    ...(weakOf(row).length > 0 && { sandboxes: weakOf(row) }),
    ...(row.finished_at !== null && { finishedAt: row.finished_at }),
  };
}

/** Weaker sandboxes that parts ran in, as far as the row knew when it was read. */
export const weakOf = (row: Pick<FactsRow, 'ran_landlock' | 'ran_none'>): WeakSandbox[] =>
  weakSandboxSchema.options.filter((layer) => row[`ran_${layer}`]);

/** Beside other commits, which hold the row for key share as we do: it is no key. */
export function noteSandbox(lastly: Lastly, { no }: FactsRow, layer: WeakSandbox): void {
  lastly(`update jobs set ran_${layer} = true where no = $1 and not ran_${layer}`, [no]);
}

export const factsOf = (row: FactsRow): JobFacts => row;

const map = partKindCode('map');
const failed = settledCode('failed');
const cancelled = settledCode('cancelled');
const sumItems = (where: string) =>
  `coalesce(sum(to_item - from_item) filter (where kind = ${map} and ${where}), 0)::bigint`;
/** Failed items, of rows of `parts` that are not committed. */
export const failedItems = sumItems(`state = ${failed}`);
const firstOf = (what: string) =>
  `(select failure from parts p where p.job_no = j.no and p.generation = j.generation and ${what} order by from_item limit 1)`;

/**
 * Counts of a job `j`, to be joined. Parts partition [0, cut), so what is committed follows from the few parts that are not:
 * no scan grows with the job.
 */
export const sumsJoin = `
  cross join lateral (select count(*)::int as open, ${sumItems('true')} as open_items
    from open_parts where job_no = j.no and generation = j.generation) o
  cross join lateral (select ${failedItems} as failed, ${sumItems(`state = ${cancelled}`)} as cancelled
    from parts where job_no = j.no and generation = j.generation and state <> 0) e`;
export const sumsColumns = 'o.open, o.open_items, e.failed, e.cancelled';

/** As {@link sumsJoin}, with why the first of them failed. */
export const countsJoin = `${sumsJoin}
  cross join lateral (select ${firstOf(`state <> 0 and state = ${failed} and not fatal`)} as first_failure, ${firstOf('fatal')} as fatal) f`;
export const countsColumns = `${sumsColumns}, f.first_failure, f.fatal`;

export interface SumsRow {
  readonly cut: number;
  readonly open: number;
  readonly open_items: number;
  readonly failed: number;
  readonly cancelled: number;
}
export interface CountsRow extends SumsRow {
  readonly first_failure: string | null;
  readonly fatal: string | null;
}

export function sumsOf({ cut, open, open_items, failed, cancelled }: SumsRow): JobCounts {
  return { committed: cut - open_items - failed - cancelled, failed, open };
}

export function countsOf(row: CountsRow): JobCounts {
  return {
    ...sumsOf(row),
    ...(row.first_failure !== null && { firstFailure: JSON.parse(row.first_failure) as Failure }),
    ...(row.fatal !== null && { fatal: JSON.parse(row.fatal) as Failure }),
  };
}

/** Events leave in the transaction of the change that they tell; see outbox.ts. */
export function outboxOf(events: readonly JobEvent[]): [text: string, values: unknown[], name: string] {
  const texts = events.map((event) => JSON.stringify(event));
  return ['insert into outbox (event) select unnest($1::text[])', [texts], 'write-outbox'];
}

type Why = Pick<Extract<JobEvent, { event: 'state' }>, 'failure' | 'outcome' | 'hookFailure'>;

export function stateEvent(job: JobId, at: number, state: JobState, generation: number, why: Why = {}): JobEvent {
  return { event: 'state', job, at, state, generation, ...why };
}
