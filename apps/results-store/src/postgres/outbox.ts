import type { JobEvent } from '@das/contracts';
import type { OutboxRow } from '@das/jobs';
import type { Database } from '../database/database.js';

/** Taken while rows are published: two instances at once would tell one job's states out of order. */
const publishLock = 0x6f7574;

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
  return db.transaction(async (query) => {
    await query('select pg_advisory_xact_lock($1)', [publishLock]);
    const stored = await query<{ seq: number; event: string }>(
      'select seq, event from outbox order by seq limit $1 for update skip locked',
      [limit],
    );
    if (stored.length === 0) return 0;
    const published = await publish(stored.map(({ seq, event }) => ({ seq, event: JSON.parse(event) as JobEvent })));
    await query('delete from outbox where seq = any($1::bigint[])', [stored.slice(0, published).map(({ seq }) => seq)]);
    return published;
  });
}
