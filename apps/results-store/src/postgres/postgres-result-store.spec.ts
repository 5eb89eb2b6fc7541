import { resultStoreContract } from '@das/jobs/contract';
import { SystemClock } from '@das/platform';
import { type TestPostgres, startTestPostgres } from '@das/testing';
import { testStore } from '../testing/test-store.js';

let postgres: TestPostgres;

beforeAll(async () => {
  postgres = await startTestPostgres(async (url) => (await testStore(url, new SystemClock())).close());
}, 60_000);
afterAll(() => postgres.close());

resultStoreContract('postgres', async () => {
  const database = await postgres.freshDatabase();
  const [store, other] = [await testStore(database.url), await testStore(database.url)];
  return {
    store,
    other,
    async close() {
      await Promise.all([store.close(), other.close()]);
      await database.drop();
    },
  };
});
