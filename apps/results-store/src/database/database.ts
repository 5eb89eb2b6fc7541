import { Fault } from '@das/contracts';
import { InvalidRequestError, asFault } from '@das/jobs';
import { type Clock, messageOf } from '@das/kernel';
import process from 'node:process';
import type { Writable } from 'node:stream';
import type { Pool, PoolClient, QueryResultRow } from 'pg';

/** Deadlocks and serialization failures are retried this often, from the start of the transaction. */
const conflictTriesMax = 6;
/** First wait before such a retry (ms); each further one is longer by as much. */
const conflictWaitMs = 3;

/** Runs SQL within one transaction, or alone. `name` prepares the statement once per connection. */
export type Query = <Row extends QueryResultRow>(
  text: string,
  values?: readonly unknown[],
  name?: string,
) => Promise<Row[]>;

/** Takes the statement that ends a transaction: it travels with the commit, so nobody can wait for what it gives. Its failure is the transaction's. */
export type Lastly = (text: string, values?: readonly unknown[], name?: string) => undefined;

/** The pool of connections, with every failure turned into one that callers can act on. */
export class Database {
  constructor(
    private readonly pool: Pool,
    private readonly clock: Clock,
  ) {}

  /** One statement, a transaction of its own. @throws Fault STORE_UNAVAILABLE: it may or may not have happened. */
  readonly query: Query = async (text, values = [], name) => {
    try {
      return await rowsOf(this.pool, text, values, name);
    } catch (thrown) {
      throw translate(thrown);
    }
  };

  /**
   * `act` may run several times; what it decides must come from what it reads. Its first statement travels with the `begin`: it locks or reads, and
   * writes nothing. Statements that do not wait for each other travel together. @throws Fault STORE_UNAVAILABLE, or what `act` throws (rolled back).
   */
  async transaction<T>(act: (query: Query, lastly: Lastly) => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#once(act);
      } catch (thrown) {
        if (!isConflict(thrown) || tries >= conflictTriesMax) throw translate(thrown);
        await new Promise<void>((resolve) => this.clock.timer(conflictWaitMs * tries, resolve));
      }
    }
  }

  async #once<T>(act: (query: Query, lastly: Lastly) => Promise<T>): Promise<T> {
    const client = await this.pool.connect();
    let broken: Error | undefined;
    // A connection that dies between two statements says so here; unheard, it would end the process.
    const hear = (error: Error) => (broken = error);
    client.on('error', hear);
    try {
      return await within(client, act);
    } catch (thrown) {
      // A silent server would not hear a rollback either.
      if (silent.test(messageOf(thrown))) broken ??= new Error(messageOf(thrown));
      if (broken || !(await rolledBack(client))) broken ??= new Error(messageOf(thrown));
      throw thrown;
    } finally {
      client.off('error', hear);
      client.release(broken);
    }
  }
}

/**
 * Statements go out as they are asked for and are answered in the same order, so one that is sent before its predecessor's answer saves a round trip.
 * @throws the first failure: what was sent behind it only says that the transaction is aborted, and a commit there is a rollback.
 */
async function within<T>(client: PoolClient, act: (query: Query, lastly: Lastly) => Promise<T>): Promise<T> {
  const sent: Promise<unknown>[] = [];
  const send = <R>(ask: () => Promise<R>): Promise<R> => {
    inOneGo(client);
    const answer = ask();
    sent.push(answer);
    // Awaited in its turn; until then it must not count as unhandled.
    answer.catch(() => undefined);
    return answer;
  };
  const answered = async (): Promise<void> => {
    for (const answer of sent) await answer;
  };
  const began = send(() => client.query('begin'));
  const query: Query = async (text, values = [], name) => {
    const rows = send(() => rowsOf<never>(client, text, values, name));
    await began;
    return rows;
  };
  const lastly: Lastly = (text, values = [], name) => void send(() => rowsOf(client, text, values, name));
  try {
    const result = await act(query, lastly);
    await began;
    void send(() => client.query('commit'));
    await answered();
    return result;
  } catch (thrown) {
    await answered();
    throw thrown;
  }
}

/** What is sent before we wait again leaves in one write: each of its own costs a call of the system and wakes the server. */
function inOneGo(client: PoolClient): void {
  const { stream } = (client as unknown as { connection: { stream: Writable } }).connection;
  stream.cork();
  process.nextTick(() => stream.uncork());
}

async function rowsOf<Row extends QueryResultRow>(
  on: Pick<PoolClient, 'query'>,
  text: string,
  values: readonly unknown[],
  name: string | undefined,
): Promise<Row[]> {
  return (await on.query<Row>({ text, values: [...values], ...(name && { name }) })).rows;
}

const rolledBack = (client: PoolClient): Promise<boolean> =>
  client.query('rollback').then(
    () => true,
    () => false,
  );

const codeOf = (thrown: unknown): string =>
  typeof thrown === 'object' && thrown !== null && 'code' in thrown ? String(thrown.code) : '';

const isConflict = (thrown: unknown): boolean => ['40001', '40P01'].includes(codeOf(thrown));

/**
 * Classes 08 (connection), 25006 (a standby reads only), 25P03 and 25P04 (we stood still within a transaction: it is undone, its connection gone), 53 (resources), 57 (operator: shutdown, timeout), 28 (login), and those of sockets and of the pool.
 */
const away = /^(08|25006|25P03|25P04|28|53|57|40)|^E(CONN|PIPE|TIMEDOUT|HOST|NETUNREACH|NOTFOUND|AI_AGAIN)/;
const silent = /Query read timeout/;
const awayText =
  /Query read timeout|Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|not queryable|Cannot use a pool/i;

/** What left the database as something callers know: our own faults, "away", or a defect. */
export function translate(thrown: unknown): unknown {
  if (thrown instanceof Fault) return thrown;
  if (thrown instanceof InvalidRequestError) return asFault(thrown);
  if (!away.test(codeOf(thrown)) && !awayText.test(messageOf(thrown))) return thrown;
  return new Fault('STORE_UNAVAILABLE', `the database cannot be used now: ${messageOf(thrown)}`, { cause: thrown });
}
