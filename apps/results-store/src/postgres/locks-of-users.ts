import type { LockHolder } from '@das/contracts';
import {
  type LockDecision,
  type StoredLock,
  attemptLive,
  decideAcquire,
  decideRelease,
  decideRenew,
  holderAt,
  sameHolder,
} from '@das/jobs';
import type { Database, Query } from '../database/database.js';
import { findFacts, nowMs } from './job-rows.js';
import type { Answer, Ask } from './operations.js';
import { openPartOfAttempt } from './part-rows.js';

/** A lock's row. */
interface Row {
  readonly fence: number;
  readonly until: number;
  readonly holder: string | null;
  /** The database's time (ms). */
  readonly now: number;
}
const columns = `fence, until, holder, ${nowMs} as now`;

/** Made by a transaction that has not decided yet; nobody else sees it. */
const unmade = 0;

/**
 * Whoever may get the lock waits for the transaction of whoever asked before. Attempts are judged by what is committed: one that is not
 * live never is again, so that nothing needs to be locked besides the name.
 */
export function acquireLock(db: Database, request: Ask<'acquireLock'>): Answer<'acquireLock'> {
  return db.transaction(async (query) => {
    // Before a row is made: who may not have it leaves none.
    if (!(await isLive(query, request.holder))) return { outcome: 'staleAttempt' };
    const seen = await readRow(query, request.name);
    const refused = seen && (await decide(query, seen, request)).reply;
    // Most questions are of those who wait: without a row lock they write nothing, and cost no flush of the log.
    if (refused?.outcome === 'held') return refused;
    const row = (await lockRow(query, request.name)) ?? (await makeRow(query, request.name));
    return kept(query, request.name, await decide(query, row, request));
  });
}

async function decide(query: Query, row: Row, request: Ask<'acquireLock'>): Promise<ReturnType<typeof decideAcquire>> {
  const { now } = row;
  const stored = storedOf(row);
  const holder = holderAt(stored, now);
  const judged = holder !== undefined && !sameHolder(holder, request.holder);
  const holderLive = judged && (await isLive(query, holder));
  const floor = stored === undefined ? await fenceFloor(query) : 0;
  return decideAcquire({ stored, floor, request, askerLive: true, holderLive, now });
}

export function renewLock(db: Database, request: Ask<'renewLock'>): Answer<'renewLock'> {
  return db.transaction(async (query) => {
    const askerLive = await isLive(query, request.holder);
    const row = await lockRow(query, request.name);
    const decision = decideRenew(row && storedOf(row), request, askerLive, row?.now ?? 0);
    return kept(query, request.name, decision);
  });
}

export function releaseLock(db: Database, request: Ask<'releaseLock'>): Answer<'releaseLock'> {
  return db.transaction(async (query) => {
    const row = await lockRow(query, request.name);
    return kept(query, request.name, decideRelease(row && storedOf(row), request, row?.now ?? 0));
  });
}

/** Names deleted by one statement, and statements of one round. */
const locksPerStatementMax = 5_000;
const statementsPerRoundMax = 10;
/** A name is forgotten when nobody held it for so long (ms). Nothing depends on it: the floor keeps the fences. */
const keptMs = 3_600_000;

/** Forgets names that nobody held for an hour; a bounded number at a time. Those that somebody takes right now are left alone. */
export async function forgetLocks(db: Database): Promise<void> {
  for (let round = 0; round < statementsPerRoundMax; round++) {
    // One statement: no transaction sees a name gone and the floor still low.
    const [gone] = await db.query<{ n: number }>(
      `with gone as (delete from user_locks where ctid = any(array(
         select ctid from user_locks where until < ${nowMs} - ${keptMs} limit ${locksPerStatementMax} for update skip locked))
         returning fence),
       raised as (update fence_floor set fence = greatest(fence, (select max(fence) from gone))
         where id = 1 and exists (select from gone) returning 1)
       select count(*)::int as n from gone`,
    );
    if ((gone?.n ?? 0) < locksPerStatementMax) return;
  }
}

async function readRow(query: Query, name: string): Promise<Row | undefined> {
  const [row] = await query<Row>(`select ${columns} from user_locks where name = $1`, [name], 'read-name');
  return row;
}

async function lockRow(query: Query, name: string): Promise<Row | undefined> {
  const [row] = await query<Row>(`select ${columns} from user_locks where name = $1 for update`, [name], 'lock-name');
  return row;
}

/** As {@link lockRow}: what another transaction made meanwhile is waited for and taken as it is. */
async function makeRow(query: Query, name: string): Promise<Row> {
  const [row] = await query<Row>(
    `insert into user_locks (name, fence, until) values ($1, ${unmade}, 0)
     on conflict (name) do update set name = excluded.name returning ${columns}`,
    [name],
    'make-name',
  );
  if (row === undefined) throw new RangeError(`no row for the lock ${name}`);
  return row;
}

/** Read after the row is made: whoever forgot the name meanwhile has raised it. */
async function fenceFloor(query: Query): Promise<number> {
  const [row] = await query<{ fence: number }>('select fence from fence_floor where id = 1', [], 'fence-floor');
  return row?.fence ?? 0;
}

function storedOf({ fence, until, holder }: Row): StoredLock | undefined {
  if (fence === unmade) return undefined;
  return { fence, until, holder: holder === null ? undefined : (JSON.parse(holder) as LockHolder) };
}

async function kept<Reply>(query: Query, name: string, { write, reply }: LockDecision<Reply>): Promise<Reply> {
  if (write === undefined) return reply;
  const holder = write.holder === undefined ? null : JSON.stringify(write.holder);
  await query(
    'update user_locks set fence = $2, until = $3, holder = $4 where name = $1',
    [name, write.fence, write.until, holder],
    'write-lock',
  );
  return reply;
}

async function isLive(query: Query, holder: LockHolder): Promise<boolean> {
  if (holder.kind === 'client') return true;
  const job = await findFacts(query, holder.job);
  return job !== undefined && attemptLive(job, await openPartOfAttempt(query, job.no, holder), holder);
}
