import { z } from 'zod';
import { databaseHosts } from './database/hosts.js';

const readable = (url: string): boolean => {
  try {
    return databaseHosts(url).length > 0;
  } catch {
    return false;
  }
};

/** Settings of the results-store. */
export const storeConfig = z.object({
  DAS_DATABASE_URL: z
    .string({ error: 'required: postgres://user:password@host:port/database' })
    .regex(/^postgres(ql)?:\/\/[^\s]+$/, 'expected postgres://user:password@host:port/database')
    .refine(
      readable,
      'expected postgres://user:password@host:port/database, up to 16 host:port with commas between, or one Unix socket: postgres://user:password@/database?host=/folder',
    )
    .describe(
      'Postgres of the cluster; every results-store uses the same. Several host:port with commas between: the one that takes writes is used, so that a promoted standby takes over. A Unix socket: postgres://user:password@/database?host=/folder.',
    ),
  DAS_DATABASE_POOL: z.coerce
    .number()
    .int()
    .min(2)
    .max(100)
    .default(8)
    .describe(
      'Connections of one results-store to Postgres. All of them together must stay below its max_connections.',
    ),
  DAS_CONNECT_TIMEOUT_MS: z.coerce
    .number()
    .int()
    .min(100)
    .max(600_000)
    .default(10_000)
    .describe('How long a starting results-store tries to reach Postgres (ms).'),
  DAS_JOB_RETENTION_HOURS: z.coerce
    .number()
    .min(0.01)
    .max(24 * 3650)
    .default(168)
    .describe('Ended jobs are deleted, with input and results, when they are older (hours).'),
});
export type StoreConfig = Readonly<z.output<typeof storeConfig>>;
