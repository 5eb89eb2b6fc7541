import { limits } from '@das/contracts';
import {
  type ItemBlock,
  checkBlock,
  decideAppend,
  decideRestart,
  decideSeal,
  itemsPage,
  pages,
  restartNote,
} from '@das/jobs';
import type { Database, Query } from '../database/database.js';
import { pack, unpack } from '../database/pack.js';
import type { BlockCache } from './block-cache.js';
import { type FactsRow, findJob, findRecord, lockJob, nowMs, stateEvent, outboxOf } from './job-rows.js';
import type { Answer, Ask } from './operations.js';
import { keyOfPart, openJson, openPartOfAttempt, sql } from './part-rows.js';
import { sealKey } from './submission-keys.js';

const headColumns = 'no, from_item as "from", to_item as "to", digest';

export async function appendBlock(db: Database, request: Ask<'appendBlock'>, raw: Uint8Array): Answer<'appendBlock'> {
  const { block, attempt } = request;
  checkBlock(block, raw);
  const stored = await pack(raw);
  return db.transaction(async (query) => {
    const job = await lockJob(query, request.job, 'no key update');
    const heads = await query<{ no: number; from: number; to: number; digest: string }>(
      `(select ${headColumns} from blocks where job_no = $1 and generation = $2 and no = $3) union all
       (select ${headColumns} from blocks where job_no = $1 and generation = $2 order by no desc limit 1)`,
      [job.no, request.generation, block.no],
    );
    const outcome = decideAppend({
      ...{ job, request, stored: heads.find((head) => head.no === block.no) },
      blocks: Math.max(-1, ...heads.map((head) => head.no)) + 1,
      part: attempt && (await openPartOfAttempt(query, job.no, attempt)),
    });
    if (outcome === 'stored')
      await query(
        `with moved as (update jobs set items = $5, touched_at = ${nowMs} where no = $1)
         insert into blocks (job_no, generation, no, from_item, to_item, bytes, packed, digest, data)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
        [
          ...[job.no, job.generation, block.no, block.from, block.to, raw.length],
          ...[stored.packed, block.digest, Buffer.from(stored.data)],
        ],
      );
    // The upload goes on, only slowly.
    if (outcome === 'same' && job.state === 'submitted')
      await query(`update jobs set touched_at = ${nowMs} where no = $1`, [job.no]);
    return { outcome };
  });
}

export function sealJob(db: Database, request: Ask<'sealJob'>): Answer<'sealJob'> {
  return db.transaction(async (query) => {
    const job = await lockJob(query, request.job, 'update');
    const decision = decideSeal(job, request);
    if (decision === 'seal') {
      await seal(query, job);
      if (request.digest !== undefined) await sealKey(query, request.job, request.digest);
    }
    const record = await findRecord(query, request.job);
    return { outcome: decision === 'jobEnded' ? decision : 'sealed', ...(record && { job: record }) };
  });
}

/** The items are final and the job runs; the caller holds its row. */
export async function seal(query: Query, job: FactsRow): Promise<void> {
  await query(`update jobs set sealed = true, state = 'running' where no = $1`, [job.no]);
  await query(...outboxOf([stateEvent(job.id, job.now, 'running', job.generation)]));
}

export async function abandonJob(db: Database, { job }: Ask<'abandonJob'>): Answer<'abandonJob'> {
  await db.transaction(async (query) => {
    const [found] = await query<{ no: number }>(
      `select no from jobs where id = $1 and state = 'submitted' for update`,
      [job],
    );
    if (found) await dropUpload(query, found.no);
  });
  return {};
}

/** Removes a job that is still `submitted`, and frees its key; the caller holds its row for update. */
export async function dropUpload(query: Query, no: number): Promise<void> {
  await query('delete from blocks where job_no = $1', [no]);
  await query(
    `with gone as (delete from jobs where no = $1 returning id)
     delete from submission_keys where job in (select id from gone)`,
    [no],
  );
}

export function restartSplit(db: Database, { attempt, why }: Ask<'restartSplit'>): Answer<'restartSplit'> {
  return db.transaction(async (query) => {
    const job = await lockJob(query, attempt.job, 'update');
    return restart(query, job, attempt, why);
  });
}

/** Starts the items again from zero; the caller holds the job's row for update. */
export async function restart(
  query: Query,
  job: FactsRow,
  attempt: Ask<'restartSplit'>['attempt'],
  why: string,
): Answer<'restartSplit'> {
  const part = await openPartOfAttempt(query, job.no, attempt);
  const decision = decideRestart(job, part, attempt.attempt, attempt.generation);
  if (decision.outcome !== 'restarted') return { outcome: decision.outcome };
  const { generation, part: split } = decision;
  for (const table of ['open_parts', 'parts', 'outputs', 'staged_outputs', 'blocks'])
    await query(`delete from ${table} where job_no = $1`, [job.no]);
  await query(
    `update jobs set generation = $2, state = 'splitting', sealed = false, items = 0, cut = 0 where no = $1`,
    [job.no, generation],
  );
  await query(sql.insertOpen(1), [JSON.stringify([openJson(keyOfPart(job.no, generation, split), split)])]);
  const restarted = stateEvent(job.id, job.now, 'splitting', generation);
  const note = { event: 'note' as const, job: job.id, at: job.now, message: restartNote(generation, why) };
  await query(...outboxOf([note, restarted]));
  return { outcome: 'restarted', generation };
}

/** Blocks looked at for one page of items; four full ones fill a page, smaller ones make a shorter page. */
const blocksPerReadMax = 6;

interface HeadRow {
  readonly no: number;
  readonly from: number;
  readonly to: number;
}

export async function readItems(db: Database, cache: BlockCache, request: Ask<'readItems'>): Answer<'readItems'> {
  const { from, to, generation } = request;
  const job = await findJob(db.query, request.job);
  const heads = await db.query<HeadRow>(
    `select no, from_item as "from", to_item as "to" from blocks
     where job_no = $1 and generation = $2 and to_item > $3 order by to_item limit ${blocksPerReadMax}`,
    [job.no, generation, from],
    'find-blocks',
  );
  const wanted = heads.filter((head) => head.from < to);
  const blocks = await withBytes(db, cache, job.no, generation, wanted);
  const page = itemsPage(blocks, from, to, limits.pageBytesMax);
  return { reply: { from, to: page.to }, raw: Buffer.concat(page.pieces) };
}

/** Blocks never change within a generation, so what was unpacked once serves the next parts cut out of the same block. */
async function withBytes(
  db: Database,
  cache: BlockCache,
  jobNo: number,
  generation: number,
  heads: readonly HeadRow[],
): Promise<ItemBlock[]> {
  const name = (no: number) => `${jobNo}/${generation}/${no}`;
  const known = new Map(heads.map(({ no }) => [no, cache.get(name(no))]));
  const missing = heads.filter(({ no }) => !known.get(no)).map(({ no }) => no);
  if (missing.length > 0) {
    const rows = await db.query<{ no: number; packed: boolean; data: Buffer }>(
      'select no, packed, data from blocks where job_no = $1 and generation = $2 and no = any($3::int[])',
      [jobNo, generation, missing],
      'read-blocks',
    );
    for (const row of rows) known.set(row.no, cache.put(name(row.no), await unpack(row)));
  }
  return heads.flatMap(({ no, from, to }) => {
    const bytes = known.get(no);
    return bytes ? [{ from, to, bytes }] : [];
  });
}

export async function listBlocks(
  db: Database,
  { job: id, generation, after }: Ask<'listBlocks'>,
): Answer<'listBlocks'> {
  const job = await findJob(db.query, id);
  const blocks = await db.query<HeadRow & { digest: string; bytes: number }>(
    `select no, from_item as "from", to_item as "to", digest, bytes from blocks
     where job_no = $1 and generation = $2 and no > $3 order by no limit $4`,
    [job.no, generation, after, pages.blocksMax + 1],
  );
  return { blocks: blocks.slice(0, pages.blocksMax), more: blocks.length > pages.blocksMax };
}
