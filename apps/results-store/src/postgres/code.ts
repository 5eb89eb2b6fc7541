import { Fault, limits } from '@das/contracts';
import type { Database, Query } from '../database/database.js';
import { pack, unpack } from '../database/pack.js';
import { nowMs } from './job-rows.js';
import type { Answer, Ask } from './operations.js';

/** A job's code, page by page. */
export async function readBlob(db: Database, { digest, chunk }: Ask<'readBlob'>): Answer<'readBlob'> {
  const rows = await db.query<{ chunk: number; packed: boolean; data: Buffer | null }>(
    'select chunk, packed, case when chunk = $2 then data end as data from blobs where digest = $1',
    [digest, chunk],
  );
  const found = rows.find((row) => row.chunk === chunk);
  const data = found?.data;
  if (found === undefined || !data) return { reply: { found: false, chunks: rows.length }, raw: new Uint8Array() };
  return { reply: { found: true, chunks: rows.length }, raw: await unpack({ packed: found.packed, data }) };
}

/** Found is touched: it is not swept before the job that is about to have it is there. */
export async function findBundle(db: Database, { digest }: Ask<'findBundle'>): Answer<'findBundle'> {
  const bundle = await touchBundle(db.query, digest);
  return bundle === undefined ? {} : { bundle };
}

export async function touchBundle(query: Query, digest: string) {
  const [row] = await query<{ files: number; bytes: number; chunks: number }>(
    `with touched as (update bundles set touched_at = ${nowMs} where digest = $1 returning files, bytes, chunks)
     select files, bytes::float8 as bytes, chunks from touched`,
    [digest],
  );
  return row;
}

export async function putBundleChunk(
  db: Database,
  { digest, chunk }: Ask<'putBundleChunk'>,
  raw: Uint8Array,
): Answer<'putBundleChunk'> {
  if (raw.length > limits.pageBytesMax)
    throw new Fault('PAYLOAD_TOO_LARGE', `a chunk has ${raw.length} bytes; at most ${limits.pageBytesMax}`);
  const { packed, data } = await pack(raw);
  await db.query(
    `insert into blobs (digest, chunk, packed, data) values ($1, $2, $3, $4)
     on conflict (digest, chunk) do update set touched_at = ${nowMs}, packed = excluded.packed, data = excluded.data`,
    [digest, chunk, packed, Buffer.from(data)],
  );
  return {};
}

export async function sealBundle(db: Database, { digest, bundle }: Ask<'sealBundle'>): Answer<'sealBundle'> {
  const sealed = await db.query(
    `insert into bundles (digest, files, bytes, chunks)
     select $1, $2, $3, $4 where (select count(*) from blobs where digest = $1 and chunk < $4::int) = $4::int
     on conflict (digest) do update set touched_at = excluded.touched_at returning 1`,
    [digest, bundle.files, bundle.bytes, bundle.chunks],
  );
  return { outcome: sealed.length > 0 ? 'sealed' : 'incomplete' };
}

export async function doubtBundle(db: Database, { digest }: Ask<'doubtBundle'>): Answer<'doubtBundle'> {
  await db.query('delete from bundles where digest = $1', [digest]);
  return {};
}
