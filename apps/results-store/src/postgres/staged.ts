import { type StoredPart, checkRows, jobEnded, liveIn, pages, parsePartId, slices, tooMuchStaged } from '@das/jobs';
import { outputKindCode, partKindCode } from '../database/codes.js';
import type { Database, Query } from '../database/database.js';
import { pack } from '../database/pack.js';
import { type FactsRow, lockJob } from './job-rows.js';
import type { Answer, Ask } from './operations.js';
import { type OpenRow, keyOf, lockOpenParts, openPart } from './part-rows.js';

const partColumns = 'job_no, generation, part_kind, part_from, part_to, part_tries';
const ofPart = `job_no = $1 and generation = $2 and part_kind = $3 and part_from = $4 and part_to = $5 and part_tries = $6`;

const partArguments = (job: FactsRow, part: StoredPart): number[] => [
  ...[job.no, job.generation, partKindCode(part.kind), part.from, part.to, part.tries],
];

export async function stageOutput(db: Database, request: Ask<'stageOutput'>, raw: Uint8Array): Answer<'stageOutput'> {
  const { attempt, run = '', rows } = request;
  if (rows.length === 0 && (await isLive(db, attempt))) return { outcome: 'staged' };
  const data = await Promise.all(slices(rows, raw).map(pack));
  return db.transaction(async (query) => {
    const job = await lockJob(query, attempt.job, 'key share');
    if (jobEnded(job.state)) return { outcome: 'jobEnded' };
    const key = attempt.generation === job.generation ? keyOf(job.no, job.generation, attempt.part) : undefined;
    const part = key && (await lockOpenParts(query, [key]))[0]?.part;
    if (!part || !liveIn(part, attempt.attempt)) return { outcome: 'staleAttempt' };
    checkRows(part, [part], rows);
    const named = [...partArguments(job, part), attempt.attempt, run];
    for (const [i, row] of rows.entries()) {
      const bytes = data[i];
      if (bytes)
        await query(insertRow, [...named, ...rowArguments(row), bytes.packed, Buffer.from(bytes.data)], 'stage');
    }
    await checkRoom(query, named);
    await query(
      `update open_parts set staged = true where job_no = $1 and generation = $2 and kind = $3
       and from_item = $4 and to_item = $5 and tries = $6 and not staged`,
      named.slice(0, 6),
    );
    return { outcome: 'staged' };
  });
}

/**
 * Waits for whoever is about to end the attempt. One statement and no transaction around it: it is asked every second, and a store that stands
 * still in the middle must not hold the row.
 */
async function isLive(
  db: Database,
  { job, generation, part, attempt }: Ask<'stageOutput'>['attempt'],
): Promise<boolean> {
  const name = parsePartId(part);
  if (name === undefined) return false;
  const rows = await db.query<OpenRow>(
    `select p.* from jobs j join open_parts p on p.job_no = j.no and p.generation = j.generation
     where j.id = $1 and j.generation = $2 and p.kind = $3 and p.from_item = $4 and p.to_item = $5 and p.tries = $6 for share of p`,
    [job, generation, partKindCode(name.kind), name.from, name.to, name.tries],
    'is-live',
  );
  return rows.some((row) => liveIn(openPart(row), attempt));
}

const insertRow = `insert into staged_outputs
  (${partColumns}, attempt, run, kind, bucket, from_item, to_item, seq, bytes, packed, data)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
  on conflict (${partColumns}, attempt, run, kind, bucket, from_item, seq)
  do update set to_item = excluded.to_item, bytes = excluded.bytes, packed = excluded.packed, data = excluded.data`;

const rowArguments = (row: Ask<'stageOutput'>['rows'][number]): number[] => [
  ...[outputKindCode(row.kind), row.bucket, row.from, row.to, row.seq, row.bytes],
];

/** @throws Fault PAYLOAD_TOO_LARGE; the transaction is rolled back. */
async function checkRoom(query: Query, named: readonly (number | string)[]): Promise<void> {
  const [staged] = await query<{ n: number }>(
    `select count(*)::int as n from staged_outputs where ${ofPart} and attempt = $7 and run = $8`,
    named,
  );
  if ((staged?.n ?? 0) > pages.stagedRowsMax) throw tooMuchStaged();
}

/** Makes the rows of the attempt's committing run visible, as far as they lie in what it says is done, and forgets all others of the part. */
export async function commitStaged(
  query: Query,
  job: FactsRow,
  part: StoredPart,
  { attempt, run = '', done }: Ask<'commitPart'>,
): Promise<void> {
  const whole = part.kind !== 'map';
  await query(
    `insert into outputs (job_no, generation, kind, bucket, from_item, to_item, seq, bytes, packed, failed, data)
     select job_no, generation, kind, bucket, from_item, to_item, seq, bytes, packed, false, data from staged_outputs s
     where ${ofPart} and attempt = $7 and run = $8 and exists (
       select 1 from unnest($9::bigint[], $10::bigint[]) as d(f, t)
       where s.from_item >= d.f and ((${whole} and s.from_item < d.t) or (not ${whole} and s.to_item <= d.t)))`,
    [...partArguments(job, part), attempt.attempt, run, done.map(({ from }) => from), done.map(({ to }) => to)],
  );
  await query(`delete from staged_outputs where ${ofPart}`, partArguments(job, part));
}
