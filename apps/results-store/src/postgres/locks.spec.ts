import { partIdOf } from '@das/jobs';
import { Scenario, linesFrom, specOf } from '@das/jobs/contract';
import type { JobId } from '@das/kernel';
import { databasePerTest } from '@das/testing';
import { Client } from 'pg';
import { behindRival as commitBehind, someoneWaits } from '../testing/rival.js';
import { testStore } from '../testing/test-store.js';
import type { PostgresResultStore } from './postgres-result-store.js';

const postgres = databasePerTest(async (url) => (await testStore(url)).close());

/** The other side of each race is a session of our own, stopped just before its commit. */
describe('the locks of the store', () => {
  let store: PostgresResultStore;
  let s: Scenario;
  let rival: Client;
  let observer: Client;

  beforeEach(async () => {
    store = await testStore(postgres.url);
    s = new Scenario(store, store);
    await s.lead();
    [rival, observer] = [new Client(postgres.url), new Client(postgres.url)];
    await Promise.all([rival.connect(), observer.connect()]);
    await rival.query('begin');
  });
  afterEach(() => Promise.all([rival.end(), observer.end(), store.close()]));

  const behindRival = <T>(act: Promise<T>): Promise<T> => commitBehind(rival, observer, act);

  /** Asks the rival something once anything waits for it, and lets it commit. */
  async function whenWaiting(question: string): Promise<string> {
    while (!(await someoneWaits(observer))) continue;
    const { rows } = await rival.query<{ now: string }>(question);
    await rival.query('commit');
    return rows[0]!.now;
  }

  it('make a commit wait for a cancel that came first, and lose to it', async () => {
    const job = await s.create();
    const [part] = await s.assign(job, [[0, 10]]);
    await rival.query(`select from jobs where id = $1 for update`, [job]);
    await rival.query(`update jobs set state = 'cancelled' where id = $1`, [job]);
    expect((await behindRival(s.commit(job, part!))).outcome).toBe('jobEnded');
    expect(await s.output(job)).toBe('');
  });

  it('make a commit wait for a twin that came first, and lose to it', async () => {
    const job = await s.create();
    const [part] = await s.assign(job, [[0, 10]]);
    await s.save(job, { attempts: [[part!, 2]] });
    await rival.query(`delete from open_parts`);
    await rival.query(`insert into parts select from_item, to_item, job_no, 1, 1, 1, 0, 0, false, '[[1,"n",1,1,1,"twin"],[2,"n",1,1,1]]', ''
      from (select 0::bigint as from_item, 10::bigint as to_item, no as job_no from jobs) as j`);
    expect((await behindRival(s.commit(job, part!))).outcome).toBe('staleAttempt');
    expect(await s.output(job)).toBe('');
  });

  it('make an act of a leader wait for the claim of a newer term, and refuse it', async () => {
    const job = await s.create();
    await rival.query('update leadership_term set term = term + 1');
    expect(await behindRival(s.assign(job, [[0, 10]]).then(() => s.open(job)))).toEqual([]);
  });

  it('make the claim of a newer term wait for an act that came first', async () => {
    const job = await s.create();
    const [part] = await s.assign(job, [[0, 10]]);
    await rival.query('select from leadership_term where id = 1 for share');
    const claimed = store.claimTerm({ node: s.act().leader, above: s.term });
    while (!(await someoneWaits(observer))) continue;
    // Renewing does not wait: it would cost a busy leader its term.
    expect((await store.renewTerm({ node: s.act().leader, term: s.term })).held).toBe(true);
    await rival.query('commit');
    expect((await claimed).granted).toBe(true);
    expect((await s.commit(job, part!)).outcome).toBe('committed');
  });

  describe('of a hook', () => {
    const hook = partIdOf('hook', 0, 1, 0);
    const settled = async () => {
      const job = await s.create(specOf({ input: { kind: 'range', from: 0, to: 0 }, functions: { on_success: true } }));
      await s.advance(job, 'succeeded');
      await s.save(job, { attempts: [[hook, 1]] });
      return job;
    };
    const confirm = (job: JobId) =>
      store.stageOutput({ attempt: { job, generation: 1, part: hook, attempt: 1 }, rows: [] }, new Uint8Array());

    it('make its rest count from when its attempt was ended, however long that had to wait', async () => {
      const job = await settled();
      await rival.query('select from jobs for update');
      const ended = s.save(job, { ended: [[hook, 1]] });
      const freed = await whenWaiting('select (extract(epoch from clock_timestamp()) * 1000)::bigint::text as now');
      await ended;
      const { parts } = await store.listParts({ job, limit: 10 });
      expect(parts[0]?.attempts[0]?.endedAt).toBeGreaterThanOrEqual(Number(freed));
    });

    it('make a confirmation wait for who ends the attempt, and be refused', async () => {
      const job = await settled();
      await rival.query(`update open_parts set attempts = '[[1,"node-1",1,1,1,"lost"]]'`);
      expect(await behindRival(confirm(job))).toEqual({ outcome: 'staleAttempt' });
    });

    it('are held by no confirmation that is over', async () => {
      const job = await settled();
      expect(await confirm(job)).toEqual({ outcome: 'staged' });
      await rival.query('select from open_parts for update nowait');
    });
  });

  it('let commits go on while the leader cuts', async () => {
    const job = await s.create();
    const [part] = await s.assign(job, [[0, 5]]);
    await rival.query('update jobs set cut = 10 where id = $1', [job]);
    expect((await s.commit(job, part!)).outcome).toBe('committed');
    expect(await s.output(job)).toBe(linesFrom(0, 5));
    await rival.query('rollback');
  });

  async function oldJob() {
    const job = await s.create();
    const parts = await s.assign(job, [
      [0, 5],
      [5, 10],
    ]);
    for (const part of parts) await s.commit(job, part);
    await s.advance(job, 'succeeded');
    await observer.query('update jobs set finished_at = 1');
    return job;
  }

  it('let nobody see a job of which some is deleted', async () => {
    const job = await oldJob();
    await rival.query('select from outputs where from_item = 5 for update');
    const deleted = store.deleteOld(1_000);
    while (!(await someoneWaits(observer))) continue;
    expect(await store.getJob({ job })).toEqual({});
    await expect(s.output(job)).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' });
    expect((await store.listJobs({ limit: 10 })).jobs).toEqual([]);
    await rival.query('commit');
    expect(await deleted).toEqual([job]);
    for (const table of ['gone_jobs', 'outputs', 'parts'])
      expect((await observer.query(`select from ${table}`)).rows).toEqual([]);
  });

  it('let no reader take what is left of a deleted job for its result', async () => {
    const job = await oldJob();
    await rival.query('lock table outputs in access exclusive mode');
    await rival.query('delete from outputs where from_item = 5');
    await rival.query('delete from jobs');
    await expect(behindRival(s.output(job))).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' });
  });

  it('make the end of a job wait for a commit that came first, and see it', async () => {
    const job = await s.create();
    const [part] = await s.assign(job, [[0, 10]]);
    await rival.query('select from jobs where id = $1 for key share', [job]);
    await rival.query('delete from open_parts');
    expect((await behindRival(s.advance(job, 'succeeded'))).outcome).toBe('advanced');
    expect((await s.commit(job, part!)).outcome).toBe('jobEnded');
  });
});
