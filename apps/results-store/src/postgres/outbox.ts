import type { JobEvent } from '@das/contracts';
import type { OutboxRow } from '@das/jobs';
import type { Database } from '../database/database.js';

/** Taken while rows are published: two instances at once would tell one job's states out of order. */
const publishLock = 0x6f7574;

/**
 * Nobody waits for the disk: a crash of the database may bring back what it forgot in the last moment, as a crash of ours does, and jobs share
 * their own waits for the disk with each other instead of with this.
 */
const lockSql = `select pg_advisory_xact_lock($1), set_config('synchronous_commit', 'off', true)`;
const oldestSql = 'select seq, event from outbox order by seq limit $1 for update skip locked';
const forgetSql = 'delete from outbox where seq = any($1::bigint[])';

/**
 * Publishes the oldest events and forgets as many as `publish` says, in one transaction. A crash between the two publishes them again: at least once.
 * `publish` must end well within the time that a transaction may wait between two statements (`idleInTransactionMs`).
 * Another instance that publishes meanwhile is waited for; what it leaves is taken.
 */
export function drainOutbox(
  db: Database,
  limit: number,
  publish: (rows: readonly OutboxRow[]) => Promise<number>,
): Promise<number> {
  return db.transaction(async (query, lastly) => {
    const [, stored] = await Promise.all([
      query(lockSql, [publishLock], 'lock-outbox'),
      query<{ seq: number; event: string }>(oldestSql, [limit], 'oldest-events'),
    ]);
    if (stored.length === 0) return 0;
    const published = await publish(stored.map(({ seq, event }) => ({ seq, event: JSON.parse(event) as JobEvent })));
    lastly(forgetSql, [stored.slice(0, published).map(({ seq }) => seq)], 'forget-events');
    return published;
  });
}
