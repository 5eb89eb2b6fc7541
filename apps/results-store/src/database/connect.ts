import { type Clock, messageOf } from '@das/kernel';
import { StartError } from '@das/platform';
import pg, { type Pool } from 'pg';
import { DataSource } from 'typeorm';
import type { StoreConfig } from '../config.js';
import { entities } from './entities.js';
import { HostChoice, databaseHosts, databaseName } from './hosts.js';
import { migrations } from './migrations.js';
import { writableServers } from './writable-client.js';

/** Wait between two tries to reach Postgres (ms). */
const againMs = 250;
/** Bound of one statement, waiting for locks included. */
const statementTimeoutMs = 30_000;
/**
 * A store that was cut off, or stands still, holds its locks for at most this long; then its transaction is undone and everybody else goes on. Ours
 * wait between two statements only for the bus (the outbox, for less), and one that was undone is told as STORE_UNAVAILABLE: it is asked for again (ms).
 */
export const idleInTransactionMs = 3_000;
/** Postgres lets go of a connection whose other end has acknowledged nothing for so long, and looks that often while a statement waits (ms). */
const unheardMs = 5_000;
const lookMs = 500;
/** A server that said nothing for so long after that is gone without a word, as a machine that lost its power is. */
const silenceMs = statementTimeoutMs + 2_000;
/** An idle connection is looked after from here on (ms). */
const keepAliveAfterMs = 5_000;
/** Of all programs that use the database, only store instances take it, while they migrate. */
const migrationLock = 0x646173;

const int8 = 20;
/** Counts stay below 2^53 (contracts `count`), so a `bigint` column is a number here. */
const types = {
  getTypeParser: (oid: number, format?: 'text' | 'binary'): unknown =>
    oid === int8 ? Number : pg.types.getTypeParser(oid, format),
};

/**
 * Every statement here finds its rows by an index, whatever the arguments: statistics of a table that grew in the last minute must not talk
 * the planner out of it, and one plan per statement and connection is enough (measured: planning took a third of a small transaction).
 */
const sessionOptions = [
  'enable_seqscan=off',
  'enable_hashjoin=off',
  'enable_mergejoin=off',
  'jit=off',
  'plan_cache_mode=force_generic_plan',
  `tcp_user_timeout=${unheardMs}`,
  `client_connection_check_interval=${lookMs}`,
]
  .map((setting) => `-c ${setting}`)
  .join(' ');

type Log = { warn(fields: Record<string, unknown>, message: string): void };

/** The DataSource, and the pool below it for hot paths. */
export interface Connected {
  readonly dataSource: DataSource;
  readonly pool: Pool;
}

/**
 * Reaches Postgres (keeps trying for DAS_CONNECT_TIMEOUT_MS) and brings the tables up to date; several instances may do so at once.
 * @throws StartError naming host and cause; nothing is left open.
 */
export async function connectDatabase(config: StoreConfig, clock: Clock, log: Log): Promise<Connected> {
  const deadline = clock.monotonic() + config.DAS_CONNECT_TIMEOUT_MS;
  const choice = new HostChoice(databaseHosts(config.DAS_DATABASE_URL));
  for (;;) {
    const dataSource = dataSourceOf(config, choice, log);
    try {
      await dataSource.initialize();
      await migrate(dataSource);
      return { dataSource, pool: poolOf(dataSource) };
    } catch (thrown) {
      await dataSource.destroy().catch(() => undefined);
      if (!worthWaiting(thrown) || clock.monotonic() + againMs > deadline) throw unreachable(config, thrown);
      await new Promise<void>((resolve) => clock.timer(againMs, resolve));
    }
  }
}

function dataSourceOf(config: StoreConfig, choice: HostChoice, log: Log): DataSource {
  return new DataSource({
    type: 'postgres',
    url: choice.current.url,
    entities,
    migrations,
    migrationsTableName: 'das_migrations',
    synchronize: false,
    installExtensions: false,
    poolSize: config.DAS_DATABASE_POOL,
    connectTimeoutMS: Math.min(5_000, config.DAS_CONNECT_TIMEOUT_MS),
    applicationName: 'das-results-store',
    poolErrorHandler: (error: unknown) => log.warn({ err: messageOf(error) }, 'a database connection was lost'),
    extra: {
      types,
      statement_timeout: statementTimeoutMs,
      idle_in_transaction_session_timeout: idleInTransactionMs,
      query_timeout: silenceMs,
      pipeline: true,
      keepAlive: true,
      keepAliveInitialDelayMillis: keepAliveAfterMs,
      options: sessionOptions,
      ...writableServers(choice),
    },
  });
}

/** The driver's own pool; TypeORM has no public name for it. */
function poolOf(dataSource: DataSource): Pool {
  return (dataSource.driver as unknown as { readonly master: Pool }).master;
}

async function migrate(dataSource: DataSource): Promise<void> {
  const runner = dataSource.createQueryRunner();
  try {
    await runner.query('select pg_advisory_lock($1)', [migrationLock]);
    try {
      await dataSource.runMigrations({ transaction: 'all' });
    } finally {
      await runner.query('select pg_advisory_unlock($1)', [migrationLock]);
    }
  } finally {
    await runner.release();
  }
}

/** A wrong password or a missing database does not cure itself. */
function worthWaiting(thrown: unknown): boolean {
  const code = typeof thrown === 'object' && thrown !== null && 'code' in thrown ? String(thrown.code) : '';
  return /^(E[A-Z]+|57P0\d|53300|08.*|XX.*|)$/.test(code);
}

function unreachable(config: StoreConfig, thrown: unknown): StartError {
  const servers = databaseHosts(config.DAS_DATABASE_URL).map(({ where }) => where);
  const where = `${servers.join(', ')}/${databaseName(config.DAS_DATABASE_URL)}`;
  const cause = messageOf(thrown) || (thrown instanceof AggregateError ? messageOf(thrown.errors[0]) : 'no answer');
  return new StartError(`cannot use Postgres at ${where}: ${cause.split('\n')[0]}`, {
    cause: thrown,
    hint: 'start Postgres there, or set DAS_DATABASE_URL to where it runs (user, password and database included)',
  });
}
