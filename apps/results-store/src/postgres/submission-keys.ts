import type { JobState, SubmissionKey } from '@das/contracts';
import { type KeyAsk, judgeKey } from '@das/jobs';
import type { JobId } from '@das/kernel';
import type { Query } from '../database/database.js';
import { nowMs } from './job-rows.js';

export interface HeldRow {
  readonly job: JobId;
  readonly state: JobState | null;
  readonly digest: string | null;
  readonly created_at: number;
  /** The database's time when the row was read (ms). */
  readonly now: number;
}

/** Reads a key, and keeps it and with it the job it stands for from being removed until the transaction ends. */
export async function lockKey(query: Query, { owner, key }: SubmissionKey): Promise<HeldRow | undefined> {
  const [row] = await query<HeldRow>(
    `select job, digest, created_at, (select state from jobs where id = k.job) as state, ${nowMs} as now
     from submission_keys k where owner = $1 and key = $2 for update of k`,
    [owner, key],
    'lock-key',
  );
  return row;
}

export function verdictOn(held: HeldRow | undefined, ask: KeyAsk): ReturnType<typeof judgeKey> {
  const known = held && {
    ...{ job: held.job, createdAt: held.created_at },
    ...{ state: held.state ?? undefined, digest: held.digest ?? undefined },
  };
  return judgeKey(known, ask, held?.now ?? 0);
}

/** The whole body of an upload is known; the caller holds its job. */
export async function sealKey(query: Query, job: JobId, digest: string): Promise<void> {
  await query('update submission_keys set digest = $2 where job = $1', [job, digest]);
}

/** Deletes keys past their time, oldest first, at most `max`; returns how many. */
export async function deleteOldKeys(query: Query, keptMs: number, max: number): Promise<number> {
  const [row] = await query<{ n: number }>(
    `with gone as (delete from submission_keys where ctid = any(array(
       select ctid from submission_keys where created_at < ${nowMs} - $1::bigint order by created_at limit $2)) returning 1)
     select count(*)::int as n from gone`,
    [keptMs, max],
  );
  return row?.n ?? 0;
}
