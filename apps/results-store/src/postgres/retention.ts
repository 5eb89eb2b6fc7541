import { limits } from '@das/contracts';
import type { JobId } from '@das/kernel';
import type { Database, Query } from '../database/database.js';
import { dropUpload } from './input.js';
import { nowMs } from './job-rows.js';
import { deleteOldKeys } from './submission-keys.js';

/** Jobs looked at in one round. */
const jobsPerRoundMax = 20;
/** Rows deleted by one statement: short locks, bounded work. */
const rowsPerStatementMax = 5_000;
/** A blob outlives its last job by this, so that a submission of the same script never finds it half gone (ms). */
const blobGraceMs = 3_600_000;
/** Whoever uploads may have sent something since the store last heard of it, and rest from then on (ms). */
const uploadDropMs = limits.uploadIdleMs + limits.uploadTouchMs;

/** Statements that delete keys in one round: a hundred thousand keys a minute. */
const keyRoundsMax = 20;

const tables = ['staged_outputs', 'outputs', 'open_parts', 'parts', 'blocks'];

/** Deletes ended jobs that are older than `keptMs`, broken uploads, code that no job refers to, and keys past their time; a bounded number at a time. Returns the jobs' ids. */
export async function deleteOld(db: Database, keptMs: number): Promise<JobId[]> {
  const old = await hideOld(db, keptMs);
  const broken = await db.query<{ no: number; id: JobId }>(
    `select no, id from jobs where finished_at is null and state = 'submitted' and touched_at < ${nowMs} - ${uploadDropMs}
     limit ${jobsPerRoundMax}`,
  );
  const gone = await db.query<{ no: number }>(`select no from gone_jobs order by no limit ${jobsPerRoundMax}`);
  for (const { no } of gone) while (await clearSome(db, no));
  for (const { no } of broken) await dropIdle(db, no);
  await db.query(
    `delete from bundles where touched_at < ${nowMs} - ${blobGraceMs} and digest in (
       select digest from bundles b where not exists (select 1 from jobs where code = b.digest) limit ${jobsPerRoundMax})`,
  );
  await db.query(
    `delete from blobs where touched_at < ${nowMs} - ${blobGraceMs} and digest in (
       select digest from blobs b where not exists (select 1 from jobs where code = b.digest)
         and not exists (select 1 from bundles where digest = b.digest) limit ${jobsPerRoundMax})`,
  );
  for (let round = 0; round < keyRoundsMax; round++)
    if ((await deleteOldKeys(db.query, limits.keyKeptMs, rowsPerStatementMax)) < rowsPerStatementMax) break;
  return [...old, ...broken].map(({ id }) => id);
}

/** A job is gone for everybody before anything of it is deleted: nobody takes what is left of a result for the whole. */
function hideOld(db: Database, keptMs: number): Promise<{ id: JobId }[]> {
  return db.query<{ id: JobId }>(
    `with gone as (delete from jobs where no = any(array(
       select no from jobs where finished_at < ${nowMs} - $1::bigint order by finished_at limit ${jobsPerRoundMax})) returning no, id),
     kept as (insert into gone_jobs select no from gone),
     freed as (delete from submission_keys where job in (select id from gone))
     select id from gone`,
    [Math.round(keptMs)],
  );
}

/** One step of a deletion, which goes on where it was broken off; `true`: there is more. Of two instances, one does it. */
function clearSome(db: Database, no: number): Promise<boolean> {
  return db.transaction(async (query) => {
    const mine = await query('select no from gone_jobs where no = $1 for update skip locked', [no]);
    if (mine.length === 0) return false;
    for (const table of tables) if ((await deleteSome(query, table, no)) === rowsPerStatementMax) return true;
    await query('delete from gone_jobs where no = $1', [no]);
    return false;
  });
}

async function deleteSome(query: Query, table: string, no: number): Promise<number> {
  const [row] = await query<{ n: number }>(
    `with gone as (delete from ${table} where ctid = any(array(
       select ctid from ${table} where job_no = $1 limit ${rowsPerStatementMax})) returning 1) select count(*)::int as n from gone`,
    [no],
  );
  return row?.n ?? 0;
}

/** Under the job's lock, and only if it is still idle: a block may just arrive. */
async function dropIdle(db: Database, no: number): Promise<void> {
  await db.transaction(async (query) => {
    const idle = await query(
      `select no from jobs where no = $1 and state = 'submitted' and touched_at < ${nowMs} - ${uploadDropMs} for update`,
      [no],
    );
    if (idle.length > 0) await dropUpload(query, no);
  });
}
