import { resultStoreContract } from '@das/jobs/contract';
import { type TestDatabase, type TestPostgres, startTestPostgres } from '@das/testing';
import { Client } from 'pg';
import { testStore } from '../testing/test-store.js';
import type { PostgresResultStore } from './postgres-result-store.js';

let postgres: TestPostgres;
let database: TestDatabase;
let stores: PostgresResultStore[];
let admin: Client;

beforeAll(async () => {
  postgres = await startTestPostgres();
  database = await postgres.freshDatabase();
  stores = [await testStore(database.url), await testStore(database.url)];
  admin = new Client(database.url);
  await admin.connect();
}, 60_000);
afterAll(async () => {
  await Promise.all([...(stores ?? []).map((store) => store.close()), admin?.end()]);
  await postgres?.close();
});

/** As a fresh database, at a tenth of the time. */
const empty = `truncate jobs, gone_jobs, blocks, open_parts, parts, outputs, staged_outputs, blobs, bundles, outbox, user_locks,
  submission_keys;
  update fence_floor set fence = 0;
  update leadership_term set term = 0, leader = null`;

resultStoreContract('postgres', async () => {
  await admin.query(empty);
  const [store, other] = stores;
  if (!store || !other) throw new Error('the stores did not open');
  const locks = {
    pass: async (ms: number) => void (await admin.query('update user_locks set until = until - $1', [ms])),
    forget: async () => {
      await admin.query('update user_locks set until = 1 where holder is null');
      await store.deleteOld(3_600_000);
    },
  };
  return { store, other, locks, close: () => Promise.resolve() };
});
