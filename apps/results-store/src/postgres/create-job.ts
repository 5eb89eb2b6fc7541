import { Fault, type JobRecord, limits } from '@das/contracts';
import { asFault, bundleMissing, checkBlock, checkDigest, firstState, hooksOf } from '@das/jobs';
import type { JobId } from '@das/kernel';
import type { Database, Query } from '../database/database.js';
import { pack } from '../database/pack.js';
import { touchBundle } from './code.js';
import { findRecord, nowMs } from './job-rows.js';
import type { Answer, Ask } from './operations.js';
import { type HeldRow, lockKey, verdictOn } from './submission-keys.js';

/** A key that somebody has makes the whole statement do nothing; two that come at once wait here for each other. */
const takeKeySql = `
  key as (
    insert into submission_keys (owner, key, job, digest) values ($17, $18, $1, $19)
    on conflict do nothing returning job),`;

/** Key, job, code, block and event in one statement, which is its own transaction: the shortest way to a running job. */
const createSql = (keyed: boolean): string => `
  with ${keyed ? takeKeySql : ''}
  job as (
    insert into jobs (id, state, sealed, items, retries, reduces, code, spec, on_success, on_failure)
    select $1::text, $2::text, $3::boolean, $4::bigint, $5::int, $6::boolean, $7::text, $8::text, $15::boolean, $16::boolean
    ${keyed ? 'from key' : ''} on conflict (id) do nothing returning no, created_at),
  code as (
    insert into blobs (digest, chunk, data)
    select $7, n, substring($9::bytea from n * $10::int + 1 for $10::int)
    from generate_series(0, greatest(0, (octet_length($9::bytea) - 1) / $10::int)) as n where $9::bytea is not null and exists (select from job)
    on conflict (digest, chunk) do update set touched_at = excluded.touched_at),
  block as (
    insert into blocks (job_no, generation, no, from_item, to_item, bytes, packed, digest, data)
    select no, 1, 0, 0, $4, $11, $12, $13, $14 from job where $13::text is not null),
  told as (
    insert into outbox (event) select json_build_object('event', 'state', 'job', $1::text, 'at', created_at, 'state', $2::text, 'generation', 1) from job)
  select no, created_at from job`;

const statements = {
  plain: { text: createSql(false), name: 'create-job' },
  keyed: { text: createSql(true), name: 'create-job-keyed' },
};

export async function createJob(db: Database, request: Ask<'createJob'>, raw: Uint8Array): Answer<'createJob'> {
  const { spec, codeText, block, key } = request;
  if (spec.bundle === undefined) checkDigest('spec.code', spec.code, codeText);
  if (block) checkBlock(block, raw);
  const first = firstStateOf(request);
  if (spec.bundle !== undefined && (await touchBundle(db.query, spec.code)) === undefined) {
    const job = await findRecord(db.query, spec.job);
    if (job === undefined) throw bundleMissing(spec.code);
    return { job, existed: true };
  }
  const insert = await insertion(request, first, raw);
  const made = await insert(db.query);
  if (made) return madeReply(spec, first, made);
  if (!key) return { job: await existing(db.query, spec.job), existed: true };
  const reply = await db.transaction<Reply>(async (query) => {
    const held = await lockKey(query, key);
    const verdict = verdictOn(held, { job: spec.job, digest: key.digest });
    if (held && verdict !== 'free') return heldReply(query, held, verdict);
    if (held) await query('delete from submission_keys where owner = $1 and key = $2', [key.owner, key.key]);
    const late = await insert(query);
    return late ? madeReply(spec, first, late) : { job: await existing(query, spec.job), existed: true };
  });
  // Afterwards: who drops an upload holds the job first and then its key.
  if (reply.existed && reply.key === undefined) await touchUpload(db.query, spec.job);
  return reply;
}

/** The upload goes on, only slowly, and no block of it is whole yet. */
async function touchUpload(query: Query, job: JobId): Promise<void> {
  await query(`update jobs set touched_at = ${nowMs} where id = $1 and state = 'submitted'`, [job], 'touch-upload');
}

type Reply = Awaited<Answer<'createJob'>>;
type Made = { readonly no: number; readonly created_at: number };
type First = ReturnType<typeof firstState>;

/** The statement with its values; what it gives is the new job, or nothing when it made none. */
async function insertion(
  { spec, codeText, block, key }: Ask<'createJob'>,
  first: First,
  raw: Uint8Array,
): Promise<(query: Query) => Promise<Made | undefined>> {
  const stored = block ? await pack(raw) : undefined;
  const { onSuccess, onFailure } = hooksOf(spec);
  const { text, name } = key ? statements.keyed : statements.plain;
  const values = [
    ...[spec.job, first.state, first.sealed, first.items, spec.limits.retries, spec.functions.reduce],
    ...[spec.code, JSON.stringify(spec), spec.bundle ? null : Buffer.from(codeText), limits.pageBytesMax],
    ...[block ? raw.length : null, stored?.packed ?? null, block?.digest ?? null],
    stored ? Buffer.from(stored.data) : null,
    ...[onSuccess, onFailure],
    ...(key ? [key.owner, key.key, key.digest ?? null] : []),
  ];
  return async (query) => (await query<Made>(text, values, name))[0];
}

const madeReply = (spec: JobRecord['spec'], first: First, { created_at }: Made) => ({
  job: { spec, ...first, generation: 1, cut: 0, createdAt: created_at },
  existed: false,
});

async function heldReply(
  query: Query,
  { job: id, digest }: HeldRow,
  verdict: Exclude<ReturnType<typeof verdictOn>, 'free'>,
): Answer<'createJob'> {
  const reply = { job: await existing(query, id), existed: true };
  return verdict === 'own' ? reply : { ...reply, key: { verdict, ...(digest !== null && { digest }) } };
}

function firstStateOf(request: Ask<'createJob'>): First {
  try {
    return firstState(request);
  } catch (thrown) {
    throw asFault(thrown);
  }
}

async function existing(query: Query, id: JobId): Promise<JobRecord> {
  const record = await findRecord(query, id);
  // Between the two statements the job may have been abandoned: the caller asks again.
  if (!record) throw new Fault('STORE_UNAVAILABLE', `job ${id} was being removed; ask again`);
  return record;
}
