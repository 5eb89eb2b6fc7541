import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type PostgresServer, startPostgres } from '@das/supervisor';
import { Client } from 'pg';

export interface TestDatabase {
  readonly url: string;
  /** Drops it, and the sessions that are left in it. */
  drop(): Promise<void>;
}

export interface TestPostgres {
  readonly server: PostgresServer;
  /** A new database, a copy of the migrated template. */
  freshDatabase(): Promise<TestDatabase>;
  /** Stops the server and removes its folder. Twice is fine. */
  close(): Promise<void>;
}

/**
 * A Postgres of the test file's own, in a temporary folder on a free port; `await` it in `beforeAll` and close it in `afterAll`.
 * `migrate` prepares the template that every fresh database copies.
 */
export async function startTestPostgres(migrate?: (url: string) => Promise<void>): Promise<TestPostgres> {
  const dir = await mkdtemp(join(tmpdir(), 'das-postgres-'));
  try {
    const server = await startPostgres({ dir, bin: process.env['DAS_PG_BIN'] });
    process.once('exit', () => killQuietly(server));
    await admin(server, 'create database template_das');
    await migrate?.(urlOf(server, 'template_das'));
    return testPostgres(server, dir);
  } catch (thrown) {
    await rm(dir, { recursive: true, force: true });
    throw thrown;
  }
}

function testPostgres(server: PostgresServer, dir: string): TestPostgres {
  let made = 0;
  return {
    server,
    async freshDatabase() {
      const name = `test_${++made}`;
      await admin(server, `create database ${name} template template_das`);
      return { url: urlOf(server, name), drop: () => admin(server, `drop database if exists ${name} with (force)`) };
    },
    async close() {
      await server.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

function urlOf(server: PostgresServer, database: string): string {
  const url = new URL(server.url);
  url.pathname = `/${database}`;
  return url.href;
}

async function admin(server: PostgresServer, sql: string): Promise<void> {
  const client = new Client({ connectionString: server.url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

/** A test process that ends before `close` leaves no server behind. */
function killQuietly(server: PostgresServer): void {
  try {
    if (server.pid > 0) process.kill(server.pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}
