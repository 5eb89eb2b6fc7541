import type { Client } from 'pg';

/** Whether somebody waits for a lock in this database: the server's other databases belong to tests that run beside. @internal */
export async function someoneWaits(observer: Client): Promise<boolean> {
  const { rows } = await observer.query<{ n: number }>(
    `select count(*)::int as n from pg_locks join pg_stat_activity using (pid)
     where not granted and datname = current_database()`,
  );
  return (rows[0]?.n ?? 0) > 0;
}

/** Commits the rival's transaction as soon as `act` waits for a lock (or has ended without waiting), and gives the act's result. @internal */
export async function behindRival<T>(rival: Client, observer: Client, act: Promise<T>): Promise<T> {
  let ended = false;
  const seen = act.finally(() => (ended = true));
  // It may be refused before the commit is answered.
  seen.catch(() => undefined);
  while (!ended && !(await someoneWaits(observer))) continue;
  await rival.query('commit');
  return seen;
}
