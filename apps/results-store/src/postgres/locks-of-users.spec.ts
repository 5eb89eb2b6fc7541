import type { LockHolder } from '@das/contracts';
import { Scenario } from '@das/jobs/contract';
import { databasePerTest } from '@das/testing';
import { Client } from 'pg';
import { behindRival } from '../testing/rival.js';
import { testStore } from '../testing/test-store.js';
import type { PostgresResultStore } from './postgres-result-store.js';

const postgres = databasePerTest(async (url) => (await testStore(url)).close());
const client = (token: string): LockHolder => ({ kind: 'client', token });
const limitMs = 30_000;

describe('two transactions that ask for one lock', () => {
  let store: PostgresResultStore;
  let other: PostgresResultStore;
  let rival: Client;
  let observer: Client;
  beforeEach(async () => {
    [store, other] = await Promise.all([testStore(postgres.url), testStore(postgres.url)]);
    [rival, observer] = [new Client(postgres.url), new Client(postgres.url)];
    await Promise.all([rival.connect(), observer.connect()]);
  });
  afterEach(() => Promise.all([rival.end(), observer.end(), store.close(), other.close()]));

  const take = (token: string, at = store) => at.acquireLock({ name: 'stock', holder: client(token), limitMs });
  const behind = <T>(act: Promise<T>) => behindRival(rival, observer, act);
  const fenceNow = async () => (await postgres.sql<{ fence: number }>('select fence::int from user_locks'))[0]?.fence;

  it('give it to one of them, round after round, and every fence is higher than the one before', async () => {
    let last = 0;
    for (let round = 0; round < 30; round++) {
      const replies = await Promise.all(['a', 'b', 'c', 'd'].map((token, i) => take(token, i % 2 ? store : other)));
      const won = replies.flatMap((reply, i) => (reply.outcome === 'acquired' ? [{ i, fence: reply.fence }] : []));
      expect(won).toHaveLength(1);
      expect(won[0]!.fence).toBeGreaterThan(last);
      last = won[0]!.fence;
      await store.releaseLock({ name: 'stock', holder: client('abcd'[won[0]!.i]!) });
    }
  });

  it('are one after the other for a name that nobody ever took', async () => {
    await rival.query('begin');
    const far = Date.now() + 3_600_000;
    await rival.query(`insert into user_locks values ('stock', 7, ${far}, '${JSON.stringify(client('first'))}')`);
    expect(await behind(take('second'))).toMatchObject({ outcome: 'held', expiresAt: far });
  });

  it('are one after the other for a name that is free', async () => {
    await take('first');
    await store.releaseLock({ name: 'stock', holder: client('first') });
    await rival.query('begin');
    const far = Date.now() + 3_600_000;
    await rival.query(
      `update user_locks set fence = 2, until = ${far}, holder = '${JSON.stringify(client('second'))}'`,
    );
    expect((await behind(take('third'))).outcome).toBe('held');
    expect(await fenceNow()).toBe(2);
  });

  it('do not let a fence fall when the name is forgotten between them', async () => {
    await rival.query(`insert into user_locks values ('stock', 7, 1, null)`);
    await rival.query('begin');
    await rival.query(`delete from user_locks`);
    await rival.query('update fence_floor set fence = 7');
    expect(await behind(take('next'))).toMatchObject({ outcome: 'acquired', fence: 8 });
  });

  it('do not wait for the end of the holder, and see it once it is committed', async () => {
    const s = new Scenario(store, other);
    await s.lead();
    const job = await s.create();
    const [part] = await s.assign(job, [[0, 10]]);
    const holder = { kind: 'attempt' as const, job, generation: 1, part: part!, attempt: 1, node: s.act().leader };
    await store.acquireLock({ name: 'stock', holder, limitMs: 600_000 });
    await rival.query('begin');
    await rival.query('select from jobs for update');
    await rival.query('delete from open_parts');
    expect((await take('next', other)).outcome).toBe('held');
    await rival.query('commit');
    expect(await take('next', other)).toMatchObject({ outcome: 'acquired', fence: 2 });
  });

  it('forget what nobody held for an hour, and nothing that is held or was a moment ago', async () => {
    const hold = (name: string, holder: LockHolder, at = limitMs) => store.acquireLock({ name, holder, limitMs: at });
    for (const name of ['old', 'released', 'held']) await hold(name, client('x'), 3_600_000);
    await store.releaseLock({ name: 'released', holder: client('x') });
    await postgres.sql(`update user_locks set until = until - 7210000, fence = 41 where name = 'old'`);
    await store.deleteOld(1_000);
    expect(await postgres.sql('select name from user_locks order by name')).toEqual([
      { name: 'held' },
      { name: 'released' },
    ]);
    expect(await hold('old', client('y'))).toMatchObject({ outcome: 'acquired', fence: 42 });
  });
});
