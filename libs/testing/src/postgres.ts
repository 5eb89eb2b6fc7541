import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type PostgresServer, startPostgres } from '@das/supervisor';
import { Client } from 'pg';
import { guard } from './guard.js';

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
 * A Postgres of the test file's own, in a temporary folder on a free port; `await` it in `beforeAll` and close it in `afterAll`. It ends also when
 * the process of the tests is killed.
 * `migrate` prepares the template that every fresh database copies.
 */
export async function startTestPostgres(migrate?: (url: string) => Promise<void>): Promise<TestPostgres> {
  const dir = await mkdtemp(join(tmpdir(), 'das-postgres-'));
  let close = () => rm(dir, { recursive: true, force: true });
  try {
    const server = await startPostgres({ dir, bin: process.env['DAS_PG_BIN'] });
    const release = guard(server, 'INT');
    const remove = close;
    close = async () => {
      await server.stop();
      await release();
      await remove();
    };
    await admin(server, 'create database template_das');
    await migrate?.(urlOf(server, 'template_das'));
    return testPostgres(server, close);
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

/** For specs in which each test has a database of its own; as {@link natsServer}, to be called at the top of a file. */
export function databasePerTest(migrate: (url: string) => Promise<void>): {
  /** All of it is to be asked inside tests and hooks. */
  readonly server: PostgresServer;
  readonly url: string;
  /** By a connection of its own. */
  sql<Row extends object>(text: string): Promise<Row[]>;
} {
  let postgres: TestPostgres;
  let database: TestDatabase;
  beforeAll(async () => {
    postgres = await startTestPostgres(migrate);
  }, 60_000);
  afterAll(() => postgres?.close());
  beforeEach(async () => {
    database = await postgres.freshDatabase();
  });
  afterEach(() => database.drop());
  return {
    get server() {
      return postgres.server;
    },
    get url() {
      return database.url;
    },
    sql: <Row extends object>(text: string) => queryOnce<Row>(database.url, text),
  };
}

function testPostgres(server: PostgresServer, close: () => Promise<void>): TestPostgres {
  let made = 0;
  return {
    server,
    async freshDatabase() {
      const name = `test_${++made}`;
      await admin(server, `create database ${name} template template_das`);
      return { url: urlOf(server, name), drop: () => admin(server, `drop database if exists ${name} with (force)`) };
    },
    close,
  };
}

function urlOf(server: PostgresServer, database: string): string {
  const url = new URL(server.url);
  url.pathname = `/${database}`;
  return url.href;
}

async function admin(server: PostgresServer, sql: string): Promise<void> {
  await queryOnce(server.url, sql);
}

/** One statement by a connection of its own. */
export async function queryOnce<Row extends object>(url: string, sql: string): Promise<Row[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}
