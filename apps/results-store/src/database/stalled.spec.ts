import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { Fault } from '@das/contracts';
import { SystemClock } from '@das/platform';
import { databasePerTest } from '@das/testing';
import pg from 'pg';
import { testStore } from '../testing/test-store.js';
import { Database } from './database.js';

const postgres = databasePerTest(async (url) => (await testStore(url)).close());

/** Ends once Postgres has closed the session of that process id; meanwhile this process stands still. */
const untilGone = `
  const pg = require('pg');
  (async () => {
    const client = new pg.Client({ connectionString: process.argv[1] });
    await client.connect();
    while ((await client.query('select from pg_stat_activity where pid = $1', [process.argv[2]])).rowCount > 0);
    await client.end();
  })();`;
const standStill = (pid: number): void => {
  const { status, stderr } = spawnSync(process.execPath, ['-e', untilGone, postgres.url, `${pid}`], {
    timeout: 20_000,
  });
  if (status !== 0) throw new Error(`the observer failed: ${stderr.toString()}`);
};

describe('a store that stands still within a transaction, over TCP', () => {
  let pool: pg.Pool;
  beforeEach(() => {
    pool = new pg.Pool({ connectionString: postgres.url, max: 1, idle_in_transaction_session_timeout: 50 });
  });
  afterEach(() => pool.end());

  /** What its caller gets when it goes on with `next`. */
  const stalled = (next: 'select' | 'commit'): Promise<unknown> =>
    new Database(pool, new SystemClock())
      .transaction(async (query) => {
        const [session] = await query<{ pid: number }>('select pg_backend_pid() as pid');
        standStill(session?.pid ?? 0);
        if (next === 'select') await query('select 1');
      })
      .catch((thrown: unknown) => thrown);

  it.each(['select', 'commit'] as const)('is told to ask again, be it by a %s, and goes on', async (next) => {
    const fault = await stalled(next);
    expect(fault).toBeInstanceOf(Fault);
    expect(fault).toMatchObject({ code: 'STORE_UNAVAILABLE', cause: { code: '25P03' } });
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });
});
