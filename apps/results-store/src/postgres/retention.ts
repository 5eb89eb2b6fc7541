import type { JobId } from '@das/kernel';
import type { Database } from '../database/database.js';
import { nowMs } from './job-rows.js';

/** Jobs looked at in one round. */
const jobsPerRoundMax = 20;
/** Rows deleted by one statement: short locks, bounded work. */
const rowsPerStatementMax = 5_000;
/** A blob outlives its last job by this, so that a submission of the same script never finds it half gone (ms). */
const blobGraceMs = 3_600_000;
/** An upload that sent no block for this long is taken for broken (ms). */
export const uploadIdleMs = 600_000;

const tables = ['staged_outputs', 'outputs', 'open_parts', 'parts', 'blocks'];

/** Deletes ended jobs that are older than `keptMs`, broken uploads, and code that no job refers to; a bounded number at a time. Returns the jobs' ids. */
export async function deleteOld(db: Database, keptMs: number): Promise<JobId[]> {
  const old = await db.query<{ no: number; id: JobId }>(
    `select no, id from jobs where finished_at < ${nowMs} - $1::bigint order by finished_at limit ${jobsPerRoundMax}`,
    [Math.round(keptMs)],
  );
  const broken = await db.query<{ no: number; id: JobId }>(
    `select no, id from jobs where finished_at is null and state = 'submitted' and touched_at < ${nowMs} - ${uploadIdleMs}
     limit ${jobsPerRoundMax}`,
  );
  for (const { no } of old) await deleteJob(db, no);
  for (const { no } of broken) await dropUpload(db, no);
  await db.query(
    `delete from blobs where touched_at < ${nowMs} - ${blobGraceMs} and digest in (
       select digest from blobs b where not exists (select 1 from jobs where code = b.digest) limit ${jobsPerRoundMax})`,
  );
  return [...old, ...broken].map(({ id }) => id);
}

/** The job's row goes last: a deletion that was broken off is found and continued. */
async function deleteJob(db: Database, no: number): Promise<void> {
  for (const table of tables) {
    let deleted: number;
    do deleted = await deleteSome(db, table, no);
    while (deleted === rowsPerStatementMax);
  }
  await db.query('delete from jobs where no = $1', [no]);
}

async function deleteSome(db: Database, table: string, no: number): Promise<number> {
  const [row] = await db.query<{ n: number }>(
    `with gone as (delete from ${table} where ctid = any(array(
       select ctid from ${table} where job_no = $1 limit ${rowsPerStatementMax})) returning 1) select count(*)::int as n from gone`,
    [no],
  );
  return row?.n ?? 0;
}

/** Under the job's lock, and only if it is still idle: a block may just arrive. */
async function dropUpload(db: Database, no: number): Promise<void> {
  await db.transaction(async (query) => {
    const idle = await query(
      `select no from jobs where no = $1 and state = 'submitted' and touched_at < ${nowMs} - ${uploadIdleMs} for update`,
      [no],
    );
    if (idle.length === 0) return;
    await query('delete from blocks where job_no = $1', [no]);
    await query('delete from jobs where no = $1', [no]);
  });
}
