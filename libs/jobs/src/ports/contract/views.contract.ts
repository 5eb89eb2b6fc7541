/// <reference types="jest" />
import { limits } from '@das/contracts';
import type { JobId } from '@das/kernel';
import { type Given, linesFrom, node1, specOf, textOf } from './scenario.js';

export function viewRules(given: Given): void {
  describe('reading', () => {
    it('reads output in item order whatever the order of commits, page by page, and stops before a gap when asked', async () => {
      const s = await given();
      const job = await s.create();
      const parts = await s.assign(job, [
        [0, 3],
        [3, 6],
        [6, 10],
      ]);
      await s.commit(job, parts[2]!);
      await s.commit(job, parts[0]!);
      expect(await s.output(job)).toBe(linesFrom(0, 3) + linesFrom(6, 10));
      expect(await s.output(job, { contiguousFrom: 0 })).toBe(linesFrom(0, 3));
      expect(await s.output(job, { after: { from: 0, seq: 0 }, contiguousFrom: 3 })).toBe('');
      await s.commit(job, parts[1]!);
      expect(await s.output(job, { after: { from: 0, seq: 0 }, contiguousFrom: 3 })).toBe(linesFrom(3, 10));
      expect((await s.store.readOutput({ job, kind: 'map', bucket: 0, skipFailed: false })).reply).toMatchObject({
        state: 'running',
        generation: 1,
        more: false,
      });
    });

    it('bounds a page of output by bytes and gives a large row whole', async () => {
      const s = await given();
      const job = await s.create();
      const size = limits.pageBytesMax / 2 - 1;
      const rows = [size, size, 100, limits.pageBytesMax, 5].map((bytes, i) => ({
        row: { kind: 'map' as const, bucket: 0, from: i * 2, to: i * 2 + 2, seq: 0 },
        text: `"${'é'.repeat(Math.floor((bytes - 3) / 2))}${'.'.repeat((bytes - 3) % 2)}"\n`,
      }));
      const ranges = rows.map(({ row: { from, to } }) => [from, to] as const);
      const parts = await s.assign(job, ranges);
      for (const [i, part] of parts.entries()) await s.commit(job, part, { rows: [rows[i]!] });
      const pages: number[][] = [];
      let after: { from: number; seq: number } | undefined;
      let text = '';
      for (let more = true; more;) {
        const { reply, raw } = await s.store.readOutput({
          job,
          kind: 'map',
          bucket: 0,
          skipFailed: false,
          ...(after && { after }),
        });
        if (reply.rows.length > 0) pages.push(reply.rows.map(({ bytes }) => bytes));
        expect(raw.length).toBe(reply.rows.reduce((sum, { bytes }) => sum + bytes, 0));
        expect(raw.length).toBeLessThanOrEqual(limits.pageBytesMax);
        text += textOf(raw);
        after = reply.rows.at(-1) ?? after;
        more = reply.more;
      }
      expect(pages).toEqual([[size, size], [100], [limits.pageBytesMax], [5]]);
      expect(text).toBe(rows.map((row) => row.text).join(''));
    });

    it('keeps buckets of a shuffle apart', async () => {
      const s = await given();
      const job = await s.create(specOf({ functions: { reduce: true }, limits: { retries: 0 } }));
      const [part] = await s.assign(job, [[0, 10]]);
      const row = (bucket: number, from: number, to: number) => ({
        row: { kind: 'shuffle' as const, bucket, from, to, seq: 0 },
        text: `["k",${bucket}${from}]\n`,
      });
      await s.commit(job, part!, {
        done: [
          [0, 4],
          [5, 10],
        ],
        failed: [4],
        rows: [row(0, 0, 4), row(3, 0, 4), row(3, 5, 10)],
      });
      expect(await s.output(job, { kind: 'shuffle', bucket: 3 })).toBe('["k",30]\n["k",35]\n');
      expect(await s.output(job, { kind: 'shuffle', bucket: 1 })).toBe('');
      expect(await s.output(job)).toBe('');
    });

    it('lists jobs newest first and open ones oldest first, page by page', async () => {
      const s = await given();
      const jobs: JobId[] = [];
      for (let i = 0; i < 5; i++) jobs.push(await s.create());
      await s.store.cancelJob({ job: jobs[2]!, why: 'enough' });
      const first = await s.store.listJobs({ limit: 3 });
      const second = await s.store.listJobs({ limit: 3, ...(first.next && { cursor: first.next }) });
      const ids = [...first.jobs, ...second.jobs].map(({ spec }) => spec.job);
      expect(new Set(ids)).toEqual(new Set(jobs));
      expect([ids.length, second.next]).toEqual([5, undefined]);
      expect((await s.store.listJobs({ limit: 10, state: 'cancelled' })).jobs.map(({ spec }) => spec.job)).toEqual([
        jobs[2],
      ]);
      const open = (await s.store.loadJobs({})).jobs.map(({ record }) => record.spec.job);
      expect(open).toEqual([...ids].reverse().filter((id) => id !== jobs[2]));
      expect((await s.store.loadJobs({ after: open[1]! })).jobs.map(({ record }) => record.spec.job)).toEqual(
        open.slice(2),
      );
      expect((await s.store.loadJobs({ job: jobs[2]! })).jobs).toMatchObject([{ record: { state: 'cancelled' } }]);
    });

    it('lists jobs with what they have committed, however they ended', async () => {
      const s = await given();
      const ends = {
        cancelled: (job: JobId) => s.store.cancelJob({ job, why: 'enough' }),
        failed: (job: JobId) => s.advance(job, 'failed'),
        running: () => Promise.resolve(),
      };
      for (const [state, end] of Object.entries(ends)) {
        const job = await s.create(specOf({ limits: { retries: 0 } }));
        const [part] = await s.assign(job, [
          [0, 5],
          [5, 10],
        ]);
        await s.commit(job, part!, { done: [[0, 4]], failed: [4] });
        await end(job);
        const { jobs, counts } = await s.store.listJobs({ limit: 1 });
        expect(jobs).toMatchObject([{ spec: { job }, state }]);
        expect(counts).toEqual([{ committed: 4, failed: 1, open: state === 'running' ? 1 : 0 }]);
      }
    });

    it('lists parts in order with their attempts, page by page', async () => {
      const s = await given();
      const job = await s.create();
      const parts = await s.assign(job, [
        [0, 2],
        [2, 9],
        [9, 10],
      ]);
      await s.commit(job, parts[1]!, { done: [[2, 4]], unfinished: [[4, 9]] });
      const all = ['map:0-2', 'map:2-4', 'map:4-9', 'map:9-10'];
      const { parts: page, more } = await s.store.listParts({ job, limit: 3 });
      expect([page.map(({ part }) => part), more]).toEqual([all.slice(0, 3), true]);
      const rest = await s.store.listParts({ job, limit: 3, after: page[2]!.part });
      expect([rest.parts.map(({ part }) => part), rest.more]).toEqual([all.slice(3), false]);
      expect(page[1]).toMatchObject({
        state: 'committed',
        busyMs: 10,
        attempts: [{ attempt: 1, node: node1, term: s.term, state: 'committed' }],
      });
      expect((await s.store.loadParts({ job, generation: 1, after: parts[0]! })).parts.map(({ part }) => part)).toEqual(
        ['map:4-9', 'map:9-10'],
      );
    });

    it('keeps an event until it was published', async () => {
      const s = await given();
      await s.create();
      const refuse = () => Promise.reject(new Error('the bus is away'));
      await expect(s.store.drainOutbox(10, refuse)).rejects.toThrow('the bus is away');
      expect(await s.told()).toEqual(['running 1']);
      expect(await s.told()).toEqual([]);
    });

    it('keeps what a publisher did not come to, and forgets the rest', async () => {
      const s = await given();
      await s.store.cancelJob({ job: await s.create(), why: 'enough' });
      expect(await s.store.drainOutbox(10, async () => 1)).toBe(1);
      expect(await s.told()).toEqual(['cancelled 1']);
    });
  });
}
