import { limits } from '@das/contracts';
import { Scenario, bytesOf, linesFrom, specOf } from '@das/jobs/contract';
import type { JobId, PartId } from '@das/kernel';
import { databasePerTest } from '@das/testing';
import { createHash } from 'node:crypto';
import { testStore } from '../testing/test-store.js';
import type { PostgresResultStore } from './postgres-result-store.js';

const hourMs = 3_600_000;
const postgres = databasePerTest(async (url) => (await testStore(url)).close());
const { sql } = postgres;

/** Its clock is the database's: time passes by setting back what the database noted. */
describe('what the store deletes', () => {
  let store: PostgresResultStore;
  let s: Scenario;
  beforeEach(async () => {
    store = await testStore(postgres.url);
    s = new Scenario(store, store);
    await s.lead();
  });
  afterEach(() => store.close());

  it('leaves nothing behind: of output sent ahead once it is decided, of an old generation once it is over', async () => {
    const count = async (table: string) => (await sql<{ n: number }>(`select count(*)::int as n from ${table}`))[0]!.n;
    const row = { kind: 'map' as const, bucket: 0, from: 0, to: 1, seq: 0, bytes: 2 };
    const stage = (job: JobId, part: PartId) =>
      store.stageOutput({ attempt: { job, generation: 1, part, attempt: 1 }, rows: [row] }, bytesOf('0\n'));
    const [committed, cancelled] = [await s.create(), await s.create()];
    for (const job of [committed, cancelled]) await stage(job, (await s.assign(job, [[0, 2]]))[0]!);
    expect(await count('staged_outputs')).toBe(2);
    await s.commit(committed, 'map:0-2' as PartId, { done: [[0, 1]], unfinished: [[1, 2]], rows: [] });
    await store.cancelJob({ job: cancelled, why: 'enough' });
    expect([await count('staged_outputs'), await count('outputs')]).toEqual([0, 1]);

    const split = await s.create(specOf({ input: { kind: 'split' }, functions: { split: true } }));
    const attempt = { job: split, generation: 1, part: await s.assignStep(split, 'split'), attempt: 1 };
    const lines = linesFrom(0, 4);
    const digest = createHash('sha256').update(lines).digest('hex');
    await store.appendBlock(
      { job: split, generation: 1, block: { no: 0, from: 0, to: 4, digest }, attempt },
      bytesOf(lines),
    );
    const parts = await s.assign(split, [
      [0, 2],
      [2, 4],
    ]);
    await s.commit(split, parts[0]!);
    await stage(split, parts[1]!).catch(() => undefined);
    await store.restartSplit({ attempt, why: 'other items' });
    const old = `generation = 1 and job_no = (select no from jobs where id = '${split}')`;
    for (const table of ['blocks', 'outputs', 'parts', 'open_parts', 'staged_outputs'])
      expect([table, await count(`${table} where ${old}`)]).toEqual([table, 0]);
  });

  it('deletes what is older than it is kept, broken uploads, and code that nobody refers to', async () => {
    const lines = linesFrom(0, 3);
    const old = await s.createWithItems(lines, 3);
    const [part] = await s.assign(old, [[0, 3]]);
    await s.commit(old, part!);
    await s.advance(old, 'succeeded');
    const upload = await s.create(specOf({ input: { kind: 'blocks' } }));
    const digest = createHash('sha256').update(lines).digest('hex');
    await store.appendBlock({ job: upload, generation: 1, block: { no: 0, from: 0, to: 3, digest } }, bytesOf(lines));
    const running = await s.create();
    const recent = await s.create();
    await store.cancelJob({ job: recent, why: 'enough' });
    expect(await store.deleteOld(hourMs)).toEqual([]);
    const past = `(extract(epoch from now()) * 1000)::bigint - ${2 * hourMs}`;
    await sql(`update jobs set finished_at = ${past} where id = '${old}'`);
    await sql(`update jobs set touched_at = ${past} where id in ('${upload}', '${running}')`);
    expect(new Set(await store.deleteOld(hourMs))).toEqual(new Set([old, upload]));
    const left = await store.listJobs({ limit: 10 });
    expect(new Set(left.jobs.map(({ spec }) => spec.job))).toEqual(new Set<JobId>([running, recent]));
    for (const table of ['blocks', 'parts', 'open_parts', 'outputs'])
      expect(await sql(`select count(*)::int as n from ${table}`)).toEqual([{ n: 0 }]);
    await sql(`update blobs set touched_at = ${past}`);
    await store.deleteOld(hourMs);
    expect(await sql('select count(*)::int as n from blobs')).toEqual([{ n: 1 }]);
    await sql(`update jobs set code = 'other'`);
    await store.deleteOld(hourMs);
    expect(await sql('select count(*)::int as n from blobs')).toEqual([{ n: 0 }]);
  });

  it('keeps a bundle as long as a job has it, and an hour after somebody asked for it', async () => {
    const digest = createHash('sha256').update('manifest').digest('hex');
    const past = `(extract(epoch from now()) * 1000)::bigint - ${2 * hourMs}`;
    const left = async () => {
      await store.deleteOld(hourMs);
      // Its chunks go once it is gone.
      await store.deleteOld(hourMs);
      return Promise.all(['bundles', 'blobs'].map(async (table) => (await sql(`select * from ${table}`)).length));
    };
    const age = () => Promise.all([`update bundles`, `update blobs`].map((u) => sql(`${u} set touched_at = ${past}`)));
    for (const chunk of [0, 1]) await store.putBundleChunk({ digest, chunk }, bytesOf('x'));
    await store.sealBundle({ digest, bundle: { files: 1, bytes: 2, chunks: 2 } });
    await age();
    await store.findBundle({ digest });
    expect(await left()).toEqual([1, 2]);
    const spec = specOf({ code: digest, bundle: { files: 1, bytes: 2 }, input: { kind: 'range', from: 0, to: 1 } });
    await store.createJob({ spec, codeText: '', items: 1 }, bytesOf(''));
    await age();
    expect(await left()).toEqual([1, 2]);
    await sql(`update jobs set code = 'other'`);
    expect(await left()).toEqual([0, 0]);
  });

  it('keeps a submission key for a day, or as long as its job', async () => {
    const keys = async () =>
      (await sql<{ key: string }>('select key from submission_keys order by key')).map((r) => r.key);
    const submit = (name: string, digest = createHash('sha256').update(name).digest('hex')) => {
      const spec = specOf({ input: { kind: 'range', from: 0, to: 1 } });
      const key = { owner: 'cluster', key: name, digest };
      return store.createJob({ spec, codeText: 'def map(item): return item\n', key }, bytesOf(''));
    };
    const [old, ended] = [await submit('old'), await submit('ended')];
    await submit('young');
    const upload = specOf({ input: { kind: 'blocks' } });
    await store.createJob(
      { spec: upload, codeText: 'def map(item): return item\n', key: { owner: 'cluster', key: 'upload' } },
      bytesOf(''),
    );
    await store.deleteOld(hourMs);
    expect(await keys()).toEqual(['ended', 'old', 'upload', 'young']);
    await store.cancelJob({ job: ended.job.spec.job, why: 'enough' });
    const back = (ms: number) => `(extract(epoch from now()) * 1000)::bigint - ${ms}`;
    await sql(`update jobs set finished_at = ${back(2 * hourMs)} where id = '${ended.job.spec.job}'`);
    await sql(`update jobs set touched_at = ${back(2 * hourMs)} where id = '${upload.job}'`);
    await sql(`update submission_keys set created_at = ${back(24 * hourMs)} where key = 'old'`);
    // Past its time it is free, deleted or not; its job goes on.
    const again = await submit('old', createHash('sha256').update('another').digest('hex'));
    expect([again.existed, (await store.getJob({ job: old.job.spec.job })).job?.state]).toEqual([false, 'running']);
    await sql(`update submission_keys set created_at = ${back(24 * hourMs)} where key = 'old'`);
    await store.deleteOld(hourMs);
    expect(await keys()).toEqual(['young']);
  });

  it('keeps an upload, and its key, as long as its own submission asks for its creation again', async () => {
    const own = { spec: specOf({ input: { kind: 'blocks' } }), codeText: 'def map(item): return item\n' };
    const submit = (spec = own.spec) =>
      store.createJob({ ...own, spec, key: { owner: 'cluster', key: 'slow' } }, bytesOf(''));
    const pass = () => sql(`update jobs set touched_at = touched_at - ${limits.uploadIdleMs}`);
    await submit();
    for (let paused = 0; paused < 2; paused++) {
      await pass();
      expect(await submit()).toMatchObject({ existed: true, job: { spec: { job: own.spec.job } } });
      expect(await store.deleteOld(hourMs)).toEqual([]);
    }
    // Another submission of the key does not.
    for (let paused = 0; paused < 2; paused++) {
      await pass();
      expect((await submit(specOf({ input: { kind: 'blocks' } }))).key).toEqual({ verdict: 'uploading' });
    }
    expect(await store.deleteOld(hourMs)).toEqual([own.spec.job]);
    expect(await sql('select key from submission_keys')).toEqual([]);
  });

  it('goes on with a deletion that was broken off', async () => {
    const job = await s.create();
    const [part] = await s.assign(job, [[0, 10]]);
    await s.commit(job, part!);
    await sql(`with gone as (delete from jobs returning no) insert into gone_jobs select no from gone`);
    expect(await store.deleteOld(hourMs)).toEqual([]);
    for (const table of ['outputs', 'parts', 'gone_jobs'])
      expect(await sql(`select count(*)::int as n from ${table}`)).toEqual([{ n: 0 }]);
  });

  it('drops an upload that rests for longer than ten minutes, counted from the last block that came, be it again', async () => {
    const lines = linesFrom(0, 3);
    const digest = createHash('sha256').update(lines).digest('hex');
    const append = (job: JobId, no: number) =>
      store.appendBlock({ job, generation: 1, block: { no, from: no * 3, to: no * 3 + 3, digest } }, bytesOf(lines));
    const job = await s.create(specOf({ input: { kind: 'blocks' } }));
    const pass = (ms: number) => sql(`update jobs set touched_at = touched_at - ${ms}`);
    const nearlyMs = limits.uploadIdleMs + limits.uploadTouchMs - 60_000;
    await pass(nearlyMs);
    expect(await store.deleteOld(hourMs)).toEqual([]);
    await append(job, 0);
    await pass(nearlyMs);
    expect(await store.deleteOld(hourMs)).toEqual([]);
    expect(await append(job, 0)).toEqual({ outcome: 'same' });
    await pass(nearlyMs);
    expect(await store.deleteOld(hourMs)).toEqual([]);
    await pass(120_000);
    expect(await store.deleteOld(hourMs)).toEqual([job]);
    await expect(append(job, 1)).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' });
  });
});
