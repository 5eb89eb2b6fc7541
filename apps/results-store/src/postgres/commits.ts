import { type AttemptRef, Fault, type OutputRow } from '@das/contracts';
import { type Committed, asFault, decideCommit, endedAlready, openPartOf, slices } from '@das/jobs';
import type { JobId, PartId } from '@das/kernel';
import { outputKindCode } from '../database/codes.js';
import type { Database, Lastly, Query } from '../database/database.js';
import { type Packed, pack } from '../database/pack.js';
import { restart, seal } from './input.js';
import { endJobs, noteSandboxes } from './commit-jobs.js';
import { type FactsRow, lockJobs } from './job-rows.js';
import type { Answer, Ask } from './operations.js';
import {
  type FoundPart,
  findOpenParts,
  findSettledParts,
  keyOf,
  keyOfPart,
  lockPartsOf,
  openJson,
  settledJson,
  sql,
} from './part-rows.js';
import { commitStaged } from './staged.js';

export type CommitRequest = Ask<'commitPart'>;
export type CommitReply = Awaited<Answer<'commitPart'>>;

/** One commit, its rows compressed before the transaction. */
export interface CommitTask {
  readonly request: CommitRequest;
  readonly data: readonly Packed[];
}

/** @throws Fault REQUEST_INVALID when the raw bytes are not the rows' */
export async function commitTask(request: CommitRequest, raw: Uint8Array): Promise<CommitTask> {
  return { request, data: await Promise.all(slices(request.rows, raw).map(pack)) };
}

/** A row of `outputs` to be written. */
interface NewOutput {
  readonly job: FactsRow;
  readonly row: OutputRow;
  readonly failed: boolean;
  readonly data: Packed;
}

/** What one commit of a batch led to. */
export interface Judged {
  readonly task: CommitTask;
  readonly job: FactsRow;
  readonly found: FoundPart;
  readonly decision: Committed;
}

/**
 * One transaction for many commits. Locks: job rows for key share (or, where a job may move on with one, for update), then part rows, each in one order for everybody.
 * A refused commit is an Error in its place; the others go on.
 */
export function commitBatch(db: Database, tasks: readonly CommitTask[]): Promise<(CommitReply | Error)[]> {
  return db.transaction(async (query, lastly) => {
    const ids = [...new Set(tasks.map(({ request }) => request.attempt.job))];
    const moving = tasks.some(({ request }) => request.sealed !== undefined || request.last === true);
    const attempts = tasks.map(({ request }) => request.attempt);
    const [jobs, open] = await Promise.all([
      lockJobs(query, ids, moving ? 'update' : 'key share'),
      lockPartsOf(query, attempts),
    ]);
    const parts = await withEnded(query, open, attempts, jobs);
    const judged: Judged[] = [];
    const replies: (CommitReply | Error)[] = [];
    for (const task of tasks) replies.push(await judge(query, task, jobs, parts, judged));
    await write(query, lastly, judged);
    const over = await endJobs(query, lastly, judged);
    return replies.map((reply, i) => (over.has(tasks[i]) ? { ...reply, ...over.get(tasks[i]) } : reply));
  });
}

const partName = (jobNo: number, generation: number, part: string): string => `${jobNo} ${generation} ${part}`;

/** Beside open parts, which are locked, those that ended already. */
async function withEnded(
  query: Query,
  open: readonly FoundPart[],
  attempts: readonly AttemptRef[],
  jobs: ReadonlyMap<JobId, FactsRow>,
): Promise<ReadonlyMap<string, FoundPart>> {
  const parts = new Map<string, FoundPart>();
  const add = (found: FoundPart) => parts.set(partName(found.jobNo, found.generation, found.part.part), found);
  for (const found of open) add(found);
  const ended = attempts.flatMap(({ job, generation, part }) => {
    const no = jobs.get(job)?.no;
    if (no === undefined || parts.has(partName(no, generation, part))) return [];
    return keyOf(no, generation, part) ?? [];
  });
  for (const found of await findSettledParts(query, ended)) add(found);
  return parts;
}

async function judge(
  query: Query,
  task: CommitTask,
  jobs: ReadonlyMap<JobId, FactsRow>,
  parts: ReadonlyMap<string, FoundPart>,
  judged: Judged[],
): Promise<CommitReply | Error> {
  const { attempt } = task.request;
  const job = jobs.get(attempt.job);
  if (!job) return new Fault('JOB_NOT_FOUND', `there is no job ${attempt.job}`);
  const found = parts.get(partName(job.no, attempt.generation, attempt.part));
  try {
    const decision = decideCommit({ job, part: found?.part, request: task.request, now: job.now });
    if (decision.outcome === 'itemsDiffer') {
      await restart(query, job, attempt, decision.why);
      return nothing('staleAttempt');
    }
    if (decision.outcome === 'alreadyCommitted') return await toldAgain(query, task, job, decision);
    if (decision.outcome !== 'committed' || !found) return nothing(decision.outcome);
    judged.push({ task, job, found, decision });
    return { outcome: 'committed', children: decision.children.map(openPartOf), failed: [...decision.failed] };
  } catch (thrown) {
    const refusal = asFault(thrown);
    if (refusal instanceof Fault && refusal.code === 'REQUEST_INVALID') return refusal;
    throw thrown;
  }
}

const nothing = (outcome: CommitReply['outcome']): CommitReply => ({ outcome, children: [], failed: [] });

/** The first answer was lost: of the parts that it named, those that are still open, and why the others failed. */
async function toldAgain(
  query: Query,
  { request }: CommitTask,
  job: FactsRow,
  named: { readonly children: readonly PartId[]; readonly failed: readonly PartId[] },
): Promise<CommitReply> {
  const keys = (parts: readonly PartId[]) => parts.flatMap((part) => keyOf(job.no, job.generation, part) ?? []);
  const children = keys(named.children);
  const open = children.length > 0 ? await findOpenParts(query, children) : [];
  const ended = new Map((await findSettledParts(query, keys(named.failed))).map(({ part }) => [part.part, part]));
  return {
    outcome: 'alreadyCommitted',
    children: open.map(({ part }) => openPartOf(part)),
    failed: named.failed.flatMap((part) => ended.get(part)?.failure ?? []),
    ...(endedAlready(request, job) && { ended: true }),
  };
}

async function write(query: Query, lastly: Lastly, judged: readonly Judged[]): Promise<void> {
  if (judged.length === 0) return;
  const gone = judged.map(({ job, found }) => keyOfPart(job.no, job.generation, found.part));
  const rows = <T>(each: (judged: Judged) => readonly T[]): T[] => judged.flatMap(each);
  const settled = rows(({ job, decision }) =>
    decision.settled.map((part) => settledJson(keyOfPart(job.no, job.generation, part), part)),
  );
  const outputs = rows(outputsOf);
  lastly(
    `with gone as (${sql.deleteOpen(1)}), ended as (${sql.insertSettled(2)}) ${insertOutputs}`,
    [JSON.stringify(gone), JSON.stringify(settled), ...outputArguments(outputs)],
    'commit',
  );
  const children = rows(({ job, decision }) =>
    decision.children.map((part) => openJson(keyOfPart(job.no, job.generation, part), part)),
  );
  if (children.length > 0) lastly(sql.insertOpen(1), [JSON.stringify(children)]);
  noteSandboxes(lastly, judged);
  for (const { job, found, task, decision } of judged) {
    if (found.staged) await commitStaged(query, job, found.part, task.request);
    if (decision.sealed !== undefined) await seal(query, job);
  }
}

function outputsOf({ task, job, decision }: Judged): NewOutput[] {
  const own = task.request.rows.flatMap((row, i): NewOutput[] => {
    const data = task.data[i];
    return data ? [{ job, row, failed: false, data }] : [];
  });
  const errors = decision.errorLines.map(({ item, text }): NewOutput => {
    const data = Buffer.from(text);
    const row = { kind: 'map' as const, bucket: 0, from: item, to: item + 1, seq: 0, bytes: data.length };
    return { job, row, failed: true, data: { packed: false, data } };
  });
  return [...own, ...errors];
}

/** All rows' bytes travel as one binary parameter and are cut apart there: an array of `bytea` would double them (hex). */
const insertOutputs = `insert into outputs (job_no, generation, kind, bucket, from_item, to_item, seq, bytes, packed, failed, data)
  select j, g, k, b, f, t, s, n, p, e, substring($4::bytea from o + 1 for l)
  from json_to_recordset($3::json) as x(j int, g smallint, k smallint, b smallint, f bigint, t bigint, s int, n int,
    p boolean, e boolean, o int, l int)`;

function outputArguments(outputs: readonly NewOutput[]): [string, Buffer] {
  let offset = 0;
  const heads = outputs.map(({ job, row, failed, data }) => {
    const place = { o: offset, l: data.data.length };
    offset += data.data.length;
    const key = { j: job.no, g: job.generation, k: outputKindCode(row.kind), b: row.bucket, f: row.from, t: row.to };
    return { ...key, s: row.seq, n: row.bytes, p: data.packed, e: failed, ...place };
  });
  return [JSON.stringify(heads), Buffer.concat(outputs.map(({ data }) => data.data))];
}
