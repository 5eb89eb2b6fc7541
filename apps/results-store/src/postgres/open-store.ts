import type { Clock } from '@das/kernel';
import type { StoreConfig } from '../config.js';
import { connectDatabase } from '../database/connect.js';
import { Database } from '../database/database.js';
import { PostgresResultStore } from './postgres-result-store.js';

type Log = { warn(fields: Record<string, unknown>, message: string): void };

/** Connects, migrates and opens the store. @throws StartError in words; nothing is left open. */
export async function openStore(config: StoreConfig, clock: Clock, log: Log): Promise<PostgresResultStore> {
  const { dataSource, pool } = await connectDatabase(config, clock, log);
  return new PostgresResultStore(new Database(pool, clock), () => dataSource.destroy());
}
