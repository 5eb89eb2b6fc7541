import { limits } from '@das/contracts';
import { Scenario, linesFrom, none, specOf } from '@das/jobs/contract';
import type { PartId } from '@das/kernel';
import { SystemClock, loadConfig } from '@das/platform';
import { databasePerTest } from '@das/testing';
import { createHash } from 'node:crypto';
import { storeConfig } from '../config.js';
import { connectDatabase } from '../database/connect.js';
import { Database } from '../database/database.js';
import { testStore } from '../testing/test-store.js';
import type { PostgresResultStore } from './postgres-result-store.js';

const quiet = { warn: () => undefined };

const postgres = databasePerTest(async (url) => (await testStore(url)).close());
const { sql } = postgres;

describe('the store over Postgres', () => {
  let store: PostgresResultStore;
  let other: PostgresResultStore;
  let s: Scenario;

  beforeEach(async () => {
    [store, other] = [await testStore(postgres.url), await testStore(postgres.url)];
    s = new Scenario(store, other);
    await s.lead();
  });
  afterEach(() => Promise.all([store.close(), other.close()]));

  const connected = async <T>(
    act: (db: Database, dataSource: Awaited<ReturnType<typeof connectDatabase>>['dataSource']) => Promise<T>,
  ) => {
    const clock = new SystemClock();
    const { dataSource, pool } = await connectDatabase(
      loadConfig(storeConfig, { DAS_DATABASE_URL: postgres.url }),
      clock,
      quiet,
    );
    try {
      return await act(new Database(pool, clock), dataSource);
    } finally {
      await dataSource.destroy();
    }
  };

  it('has entities that say what the migrations made', async () => {
    const { upQueries } = await connected((_, dataSource) => dataSource.driver.createSchemaBuilder().log());
    // TypeORM knows neither partial indexes nor default expressions as we write them: columns, types, nulls and keys are what it compares.
    const wrong = upQueries
      .map(({ query }) => query)
      .filter((query) => !/^(DROP INDEX|CREATE INDEX|ALTER TABLE "\w+" ALTER COLUMN "\w+" DROP DEFAULT)/.test(query));
    expect(wrong).toEqual([]);
  });

  it('migrates down to nothing and up again', async () => {
    await connected(async (_, dataSource) => {
      for (const _ of dataSource.migrations) await dataSource.undoLastMigration();
      const left = await dataSource.query<{ n: number }[]>(
        `select count(*)::int as n from pg_tables where schemaname = 'public'`,
      );
      expect(left).toEqual([{ n: 1 }]);
      await dataSource.runMigrations();
    });
    expect((await store.listJobs({ limit: 1 })).jobs).toEqual([]);
  });

  it('scans no table, however many parts there are', async () => {
    const job = await s.create(specOf({ input: { kind: 'range', from: 0, to: 400 } }));
    const ranges = Array.from({ length: 400 }, (_, i) => [i, i + 1] as const);
    const parts = await s.assign(job, ranges);
    await Promise.all(parts.map((part, i) => s.commit(job, part, i % 7 ? {} : { done: [], failed: [i] })));
    await s.output(job);
    await s.counts(job);
    await s.open(job);
    await store.listParts({ job, limit: 100 });
    await store.listJobs({ limit: 10 });
    expect((await s.advance(job, 'succeeded')).outcome).toBe('partsOpen');
    await store.close();
    await other.close();
    const scans = await sql(`select relname, seq_scan::int as scans from pg_stat_user_tables
      where relname in ('parts', 'open_parts', 'outputs', 'staged_outputs', 'blocks', 'jobs') and seq_scan > 0`);
    expect(scans).toEqual([]);
    [store, other] = [await testStore(postgres.url), await testStore(postgres.url)];
  });

  it('stores at most 100 bytes per item beyond its payload for parts of three items', async () => {
    const job = await s.create(specOf({ input: { kind: 'range', from: 0, to: 9_000 } }));
    const ranges = Array.from({ length: 3_000 }, (_, i) => [i * 3, i * 3 + 3] as const);
    const bytes = async () =>
      (
        await sql<{ n: number }>(
          `select (pg_total_relation_size('parts') + pg_total_relation_size('outputs'))::int as n`,
        )
      )[0]!.n;
    const before = await bytes();
    const parts = await s.assign(job, ranges);
    await Promise.all(parts.map((part) => s.commit(job, part)));
    const payload = linesFrom(0, 9_000).length;
    expect(await s.counts(job)).toMatchObject({ committed: 9_000 });
    expect(((await bytes()) - before - payload) / 9_000).toBeLessThan(100);
  });

  it('keeps what it answered over a crash of the database, and knows a commit again whose answer was lost', async () => {
    const job = await s.create();
    const [a, b] = await s.assign(job, [
      [0, 5],
      [5, 10],
    ]);
    await s.commit(job, a!);
    await postgres.server.kill();
    await expect(s.commit(job, b!)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true });
    await expect(store.getJob({ job })).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await postgres.server.restart();
    expect((await s.commit(job, a!)).outcome).toBe('alreadyCommitted');
    expect((await s.commit(job, b!)).outcome).toBe('committed');
    expect(await s.output(job)).toBe(linesFrom(0, 10));
  }, 30_000);

  it('fails what is in flight when the database goes, never by half', async () => {
    const job = await s.create(specOf({ input: { kind: 'range', from: 0, to: 200 } }));
    const parts = await s.assign(
      job,
      Array.from({ length: 200 }, (_, i) => [i, i + 1] as const),
    );
    const outcome = (part: PartId, from = store) =>
      s.commit(job, part, {}, 1, 1, from).then(
        (reply) => reply.outcome as string,
        (thrown: { code: string }) => thrown.code,
      );
    const inFlight = parts.map((part, i) => outcome(part, i % 2 ? store : other));
    await Promise.race(inFlight);
    await postgres.server.kill();
    const first = await Promise.all(inFlight);
    await postgres.server.restart();
    const again = await Promise.all(parts.map((part) => outcome(part)));
    expect(first.every((o) => ['committed', 'STORE_UNAVAILABLE'].includes(o))).toBe(true);
    // What was answered as committed is known again; what was not, may have been committed or not.
    expect(again.filter((o, i) => first[i] === 'committed' && o !== 'alreadyCommitted')).toEqual([]);
    expect(again.every((o) => ['committed', 'alreadyCommitted'].includes(o))).toBe(true);
    expect(await s.output(job)).toBe(linesFrom(0, 200));
  }, 30_000);

  it('tries a transaction again after a deadlock', async () => {
    await sql('create table locks as select n from generate_series(1, 2) as n');
    let runs = 0;
    const both = await connected(async (db) => {
      let arrived = 0;
      let meet: () => void = () => undefined;
      const met = new Promise<void>((resolve) => (meet = resolve));
      const lock = (first: number, second: number) =>
        db.transaction(async (query) => {
          runs++;
          await query('select from locks where n = $1 for update', [first]);
          if (++arrived === 2) meet();
          await met;
          await query('select from locks where n = $1 for update', [second]);
          return 'done';
        });
      return Promise.all([lock(1, 2), lock(2, 1)]);
    });
    expect([both, runs]).toEqual([['done', 'done'], 3]);
  });

  it('publishes each event once and in order, though two instances drain at the same time', async () => {
    for (let i = 0; i < 20; i++) await store.cancelJob({ job: await s.create(), why: 'enough' });
    const told: number[] = [];
    const drain = async (one: PostgresResultStore, publishing: () => Promise<unknown>): Promise<void> => {
      const publish = async (rows: readonly { seq: number }[]) => {
        await publishing();
        told.push(...rows.map(({ seq }) => seq));
        return rows.length;
      };
      while ((await one.drainOutbox(3, publish)) > 0);
    };
    // One is slow: the other has the time to overtake it.
    const slow = async () => {
      for (let i = 0; i < 5; i++) await store.currentTerm({});
    };
    await Promise.all([drain(store, slow), drain(other, () => Promise.resolve())]);
    expect(told).toHaveLength(40);
    expect(told).toEqual([...told].sort((a, b) => a - b));
  });

  it('gives code larger than a page back chunk by chunk', async () => {
    const codeText = `# ${'€'.repeat(limits.codeBytesMax - 10)}\n`;
    const code = createHash('sha256').update(codeText).digest('hex');
    await store.createJob({ spec: specOf({ code }), codeText }, none);
    const chunks: Uint8Array[] = [];
    for (let chunk = 0; ; chunk++) {
      const { reply, raw } = await store.readBlob({ digest: code, chunk });
      if (!reply.found) break;
      expect(raw.length).toBeLessThanOrEqual(limits.pageBytesMax);
      chunks.push(raw);
    }
    expect(chunks.length).toBe(2);
    expect(Buffer.concat(chunks).toString()).toBe(codeText);
  });

  it('gives bytes back as they came, compressed or not, text or not', async () => {
    const job = await s.create(specOf({ input: { kind: 'range', from: 0, to: 3 } }));
    const texts = [
      '"\u0000\\x41 \u{1F600}"\n',
      `"${'ab'.repeat(5_000)}"\n`,
      `"${createHash('sha512').update('x').digest('base64').repeat(20)}"\n`,
    ];
    const parts = await s.assign(
      job,
      texts.map((_, i) => [i, i + 1] as const),
    );
    for (const [i, part] of parts.entries()) {
      const row = { kind: 'map' as const, bucket: 0, from: i, to: i + 1, seq: 0 };
      await s.commit(job, part, { rows: [{ row, text: texts[i]! }] });
    }
    expect(await s.output(job)).toBe(texts.join(''));
    const stored = await sql<{ packed: boolean }>('select packed from outputs order by from_item');
    expect(stored.map(({ packed }) => packed)).toEqual([false, true, true]);
  });
});
