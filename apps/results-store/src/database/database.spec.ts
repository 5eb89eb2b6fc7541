import { SystemClock } from '@das/platform';
import { databasePerTest } from '@das/testing';
import type { Socket } from 'node:net';
import pg from 'pg';
import { testStore } from '../testing/test-store.js';
import { Database } from './database.js';

const postgres = databasePerTest(async (url) => (await testStore(url)).close());

describe('a transaction whose statements travel together', () => {
  let pool: pg.Pool;
  let db: Database;
  beforeEach(async () => {
    pool = new pg.Pool({ connectionString: postgres.url, max: 1, pipeline: true });
    db = new Database(pool, new SystemClock());
    await pool.query('create table kept (n int primary key)');
  });
  afterEach(() => pool.end());

  const kept = async (): Promise<number[]> =>
    (await pool.query<{ n: number }>('select n from kept order by n')).rows.map(({ n }) => n);
  const insert = 'insert into kept (n) values ($1)';

  it('keeps what it wrote last', async () => {
    const done = db.transaction(async (query, lastly) => {
      await query(insert, [1]);
      lastly(insert, [2]);
      return 'done';
    });
    expect([await done, await kept()]).toEqual(['done', [1, 2]]);
  });

  it('fails with its last statement, though the commit was sent behind it', async () => {
    const failed = db.transaction(async (query, lastly) => {
      await query(insert, [1]);
      lastly(insert, [1]);
    });
    await expect(failed).rejects.toMatchObject({ code: '23505' });
    expect(await kept()).toEqual([]);
  });

  it('says what failed first, not what that led to', async () => {
    const failed = db.transaction(async (query, lastly) => {
      await query(insert, [1]);
      lastly(insert, [1]);
      await query('select 1');
    });
    await expect(failed).rejects.toMatchObject({ code: '23505' });
    expect(await kept()).toEqual([]);
  });

  it('undoes what its caller gives up', async () => {
    const failed = db.transaction(async (_, lastly) => {
      lastly(insert, [1]);
      throw new RangeError('given up');
    });
    await expect(failed).rejects.toThrow('given up');
    expect(await kept()).toEqual([]);
  });

  it('sends what it asks without waiting in one write', async () => {
    const writes: string[] = [];
    pool.on('acquire', (client) => {
      const { stream } = (client as unknown as { connection: { stream: Socket } }).connection;
      const [write, writev] = [stream._write.bind(stream), stream._writev?.bind(stream)];
      stream._write = (chunk, ...rest) => (writes.push('one'), write(chunk, ...rest));
      stream._writev = (chunks, done) => (writes.push('many'), writev?.(chunks, done));
    });
    await db.transaction(async (query, lastly) => {
      await query(insert, [1]);
      lastly(insert, [2]);
      lastly(insert, [3]);
    });
    expect(writes).toEqual(['many', 'many']);
  });
});
