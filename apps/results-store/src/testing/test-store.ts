import type { Clock } from '@das/kernel';
import { SystemClock, loadConfig } from '@das/platform';
import { storeConfig } from '../config.js';
import { openStore } from '../postgres/open-store.js';
import type { PostgresResultStore } from '../postgres/postgres-result-store.js';

/** A store instance over a test's database. @internal */
export function testStore(url: string, clock: Clock = new SystemClock(), pool = 4): Promise<PostgresResultStore> {
  const config = loadConfig(storeConfig, { DAS_DATABASE_URL: url, DAS_DATABASE_POOL: `${pool}` });
  return openStore(config, clock, { warn: () => undefined });
}
