import { limits } from '@das/contracts';
import { type OutputHead, outputPage } from '@das/jobs';
import { outputKindCode, outputKinds, wordOf } from '../database/codes.js';
import type { Database } from '../database/database.js';
import { unpack } from '../database/pack.js';
import { type FactsRow, known } from './job-rows.js';
import type { Answer, Ask } from './operations.js';

interface OutputRecord {
  readonly kind: number;
  readonly bucket: number;
  readonly from: number;
  readonly to: number;
  readonly seq: number;
  readonly bytes: number;
  /** Bytes of this row and of all before it in the page. */
  readonly filled: number;
  readonly failed: boolean;
  readonly packed: boolean;
  readonly data: Buffer;
}

/** Rows whose heads are looked at for one page. */
const rowsPerReadMax = 4_096;

/** The job with each of its rows, or alone. */
type FoundOutput = Pick<FactsRow, 'state' | 'generation'> & (OutputRecord | { readonly from: null });

/**
 * Of the rows after the cursor, those that begin within a page; and one more, so that "there is more" is known.
 * One statement with the job: rows are deleted only after their job is gone, so a page that has its job has all its rows.
 */
const outputSql = (skipFailed: boolean) => `
  select j.state, j.generation, page.* from jobs j left join lateral (
    select kind, bucket, from_item as "from", to_item as "to", seq, bytes, filled, failed, packed, data from (
      select *, sum(bytes) over (order by from_item, seq rows unbounded preceding) as filled from (
        select * from outputs where job_no = j.no and generation = j.generation and kind = $2 and bucket = $3
          and (from_item, seq) > ($4, $5) ${skipFailed ? 'and not failed' : ''}
        order by from_item, seq limit ${rowsPerReadMax}) as rows) as filling
    where filled - bytes <= $6) as page on true
  where j.id = $1 order by "from", seq`;

export async function readOutput(db: Database, request: Ask<'readOutput'>): Answer<'readOutput'> {
  // With `contiguous`, failed items must be seen to know that there is no gap; they are left out afterwards.
  const inSql = request.skipFailed && request.contiguousFrom === undefined;
  let after = request.after ?? { from: -1, seq: 0 };
  for (;;) {
    const found = await db.query<FoundOutput>(
      outputSql(inSql),
      [request.job, outputKindCode(request.kind), request.bucket, after.from, after.seq, limits.pageBytesMax],
      `read-output-${inSql}`,
    );
    const { state, generation } = known(request.job, found[0]);
    const rows = found.filter((row) => row.from !== null);
    const all = rows.length < rowsPerReadMax && (rows.at(-1)?.filled ?? 0) <= limits.pageBytesMax;
    const page = outputPage(rows.map(headed), { ...request, after }, all, limits.pageBytesMax);
    if (page.rows.length === 0 && page.more && page.scanned) {
      after = page.scanned;
      if (request.contiguousFrom !== undefined)
        request = { ...request, contiguousFrom: Math.max(request.contiguousFrom, page.scanned.to) };
      continue;
    }
    return {
      reply: { rows: page.rows.map(headOf), more: page.more, state, generation },
      raw: await bytesOf(page.rows),
    };
  }
}

type HeadedOutput = OutputHead & { readonly packed: boolean; readonly data: Buffer };

const headed = (row: OutputRecord): HeadedOutput => ({ ...row, kind: wordOf(outputKinds, row.kind) });
const headOf = ({ kind, bucket, from, to, seq, bytes, failed }: HeadedOutput): OutputHead => ({
  kind,
  bucket,
  from,
  to,
  seq,
  bytes,
  failed,
});

async function bytesOf(rows: readonly HeadedOutput[]): Promise<Uint8Array> {
  return Buffer.concat(await Promise.all(rows.map(unpack)));
}
