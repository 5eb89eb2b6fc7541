import type { Client } from 'pg';

/** Commits the rival's transaction as soon as `act` waits for a lock (or has ended without waiting), and gives the act's result. @internal */
export async function behindRival<T>(rival: Client, observer: Client, act: Promise<T>): Promise<T> {
  let ended = false;
  const seen = act.finally(() => (ended = true));
  const waiting = async () => {
    const { rows } = await observer.query<{ n: number }>('select count(*)::int as n from pg_locks where not granted');
    return (rows[0]?.n ?? 0) > 0;
  };
  while (!ended && !(await waiting())) continue;
  await rival.query('commit');
  return seen;
}
