/// <reference types="jest" />
import { type RequestOf, type appendBlock, limits } from '@das/contracts';
import type { JobId, PartId } from '@das/kernel';
import { type Scenario, bytesOf, linesFrom, node1, node2, none, sha256, specOf, textOf } from './scenario.js';

type Given = () => Promise<Scenario>;
type Append = RequestOf<typeof appendBlock>;

const block = (no: number, from: number, to: number, lines = linesFrom(from, to)) => ({
  head: { no, from, to, digest: sha256(lines) },
  lines,
});

const append = (
  s: Scenario,
  job: JobId,
  { head, lines }: ReturnType<typeof block>,
  attempt?: Append['attempt'],
  generation = 1,
) => s.store.appendBlock({ job, generation, block: head, ...(attempt && { attempt }) }, bytesOf(lines));

const attemptOf = (job: JobId, part: PartId, attempt = 1, generation = 1) => ({ job, generation, part, attempt });

export function inputRules(given: Given): void {
  describe('jobs and their items', () => {
    it('creates a job once, in the state that its input asks for', async () => {
      const s = await given();
      const first = async (spec: ReturnType<typeof specOf>) =>
        (await s.store.createJob({ spec, codeText: 'def map(item): return item\n' }, none)).job;
      expect(await first(specOf())).toMatchObject({ state: 'running', sealed: true, items: 10, cut: 0, generation: 1 });
      expect(await first(specOf({ input: { kind: 'none' } }))).toMatchObject({
        state: 'running',
        sealed: true,
        items: 0,
      });
      expect(await first(specOf({ input: { kind: 'split' } }))).toMatchObject({
        state: 'splitting',
        sealed: false,
        items: 0,
      });
      expect(await first(specOf({ input: { kind: 'blocks' } }))).toMatchObject({
        state: 'submitted',
        sealed: false,
        items: 0,
      });
      const spec = specOf({ name: 'mine' });
      await s.create(spec);
      const again = await s.store.createJob(
        { spec: { ...spec, name: 'other' }, codeText: 'def map(item): return item\n' },
        none,
      );
      expect(again).toMatchObject({ existed: true, job: { spec: { name: 'mine' } } });
      expect(await s.told()).toEqual(['running 1', 'running 1', 'splitting 1', 'submitted 1', 'running 1']);
    });

    it('refuses code and items that were changed on the way', async () => {
      const s = await given();
      const spec = specOf();
      await expect(s.store.createJob({ spec, codeText: 'other' }, none)).rejects.toMatchObject({
        code: 'REQUEST_INVALID',
      });
      expect(await s.store.getJob({ job: spec.job })).toEqual({});
      const job = await s.create(specOf({ input: { kind: 'blocks' } }));
      const good = block(0, 0, 3);
      for (const lines of ['0\n1\n3\n', '0\n1\n2', '0\n1\n'])
        await expect(append(s, job, { ...good, lines })).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
      expect((await s.store.listBlocks({ job, generation: 1, after: -1 })).blocks).toEqual([]);
    });

    it('takes an upload block by block, each once, and seals it', async () => {
      const s = await given();
      const job = await s.create(specOf({ input: { kind: 'blocks' } }));
      expect(await append(s, job, block(0, 0, 3))).toEqual({ outcome: 'stored' });
      expect(await append(s, job, block(0, 0, 3))).toEqual({ outcome: 'same' });
      expect(await append(s, job, block(0, 0, 3, 'a\nb\nc\n'.replace(/\w/g, '"$&"')))).toEqual({
        outcome: 'different',
      });
      await expect(append(s, job, block(2, 3, 5))).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
      await expect(append(s, job, block(1, 4, 5))).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
      expect((await s.store.loadJobs({})).jobs).toEqual([]);
      await expect(s.store.sealJob({ job, generation: 1, items: 4 })).rejects.toMatchObject({
        code: 'REQUEST_INVALID',
      });
      expect(await s.store.sealJob({ job, generation: 1, items: 3 })).toMatchObject({
        outcome: 'sealed',
        job: { state: 'running', sealed: true, items: 3 },
      });
      expect((await s.store.sealJob({ job, generation: 1, items: 3 })).outcome).toBe('sealed');
      expect(await append(s, job, block(0, 0, 3))).toEqual({ outcome: 'same' });
      await expect(append(s, job, block(1, 3, 5))).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
      expect((await s.store.loadJobs({})).jobs.map(({ record }) => record.spec.job)).toEqual([job]);
      expect(await s.told()).toEqual(['submitted 1', 'running 1']);
    });

    it('drops a broken upload, but no job that runs', async () => {
      const s = await given();
      const [upload, running] = [await s.create(specOf({ input: { kind: 'blocks' } })), await s.create()];
      await append(s, upload, block(0, 0, 3));
      for (const job of [upload, running]) await s.store.abandonJob({ job, why: 'the client went away' });
      expect(await s.store.getJob({ job: upload })).toEqual({});
      expect((await s.store.getJob({ job: running })).job?.state).toBe('running');
      await expect(append(s, upload, block(1, 3, 4))).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' });
    });

    it('reads items across blocks, and stops at a page or at what is not stored', async () => {
      const s = await given();
      const job = await s.create(specOf({ input: { kind: 'blocks' } }));
      const long = (i: number) => `"${String(i).padStart(9, '0')}${'x'.repeat(limits.pageBytesMax / 16)}"`;
      for (let no = 0; no < 3; no++)
        await append(s, job, block(no, no * 8, no * 8 + 8, linesFrom(no * 8, no * 8 + 8, long)));
      const read = async (from: number, to: number, generation = 1) => {
        const { reply, raw } = await s.store.readItems({ job, generation, from, to });
        return {
          ...reply,
          first: textOf(raw).slice(1, 10),
          lines: textOf(raw).split('\n').length - 1,
          bytes: raw.length,
        };
      };
      expect(await read(6, 10)).toMatchObject({ from: 6, to: 10, first: '000000006', lines: 4 });
      const page = await read(3, 24);
      expect(page).toMatchObject({ from: 3, to: 18, first: '000000003', lines: 15 });
      expect(page.bytes).toBeLessThanOrEqual(limits.pageBytesMax);
      expect(await read(18, 99)).toMatchObject({ to: 24, first: '000000018', lines: 6 });
      for (const nothing of [await read(24, 30), await read(5, 5), await read(0, 5, 2)])
        expect(nothing).toMatchObject({ lines: 0 });
      const { blocks, more } = await s.store.listBlocks({ job, generation: 1, after: 0 });
      expect([blocks.map(({ no, from, to }) => [no, from, to]), more]).toEqual([
        [
          [1, 8, 16],
          [2, 16, 24],
        ],
        false,
      ]);
    });

    it('gives the code back by its digest', async () => {
      const s = await given();
      const spec = specOf();
      await s.create(spec);
      const { reply, raw } = await s.store.readBlob({ digest: spec.code, chunk: 0 });
      expect([reply, textOf(raw)]).toEqual([{ found: true, chunks: 1 }, 'def map(item): return item\n']);
      expect((await s.store.readBlob({ digest: spec.code, chunk: 1 })).reply.found).toBe(false);
      expect((await s.store.readBlob({ digest: sha256('unknown'), chunk: 0 })).reply).toEqual({
        found: false,
        chunks: 0,
      });
    });
  });
}

export function splitRules(given: Given): void {
  describe('split', () => {
    const splitting = async (s: Scenario) => {
      const job = await s.create(specOf({ input: { kind: 'split' }, functions: { split: true } }));
      return { job, part: await s.assignStep(job, 'split') };
    };
    const seal = (s: Scenario, job: JobId, part: PartId, items: number, attempt = 1) =>
      s.commit(job, part, { more: { sealed: { items } } }, attempt);

    it('stores blocks of a live attempt while maps run, and its commit seals the job', async () => {
      const s = await given();
      const { job, part } = await splitting(s);
      expect(await append(s, job, block(0, 0, 4), attemptOf(job, part))).toEqual({ outcome: 'stored' });
      const [map] = await s.assign(job, [[0, 4]]);
      await s.commit(job, map!);
      expect((await s.advance(job, 'succeeded')).outcome).toBe('partsOpen');
      expect(await append(s, job, block(1, 4, 6), attemptOf(job, part))).toEqual({ outcome: 'stored' });
      await expect(seal(s, job, part, 7)).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
      await expect(s.commit(job, part)).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
      expect((await seal(s, job, part, 6)).outcome).toBe('committed');
      expect((await s.store.getJob({ job })).job).toMatchObject({ state: 'running', sealed: true, items: 6, cut: 4 });
      expect(await s.told()).toEqual(['splitting 1', 'running 1']);
    });

    it('knows the blocks of an earlier attempt again, and refuses those of an ended one', async () => {
      const s = await given();
      const { job, part } = await splitting(s);
      await append(s, job, block(0, 0, 4), attemptOf(job, part));
      await s.save(job, { ended: [[part, 1]], attempts: [[part, 2]] }, 1, node2);
      expect(await append(s, job, block(1, 4, 6), attemptOf(job, part, 1))).toEqual({ outcome: 'staleAttempt' });
      expect(await append(s, job, block(0, 0, 4), attemptOf(job, part, 2))).toEqual({ outcome: 'same' });
      expect(await append(s, job, block(0, 0, 4, '9\n8\n7\n6\n'), attemptOf(job, part, 2))).toEqual({
        outcome: 'different',
      });
      await s.store.cancelJob({ job, why: 'enough' });
      expect(await append(s, job, block(1, 4, 6), attemptOf(job, part, 2))).toEqual({ outcome: 'jobEnded' });
    });

    it('starts again from zero under a new generation, with nothing of the old', async () => {
      const s = await given();
      const { job, part } = await splitting(s);
      await append(s, job, block(0, 0, 4), attemptOf(job, part));
      const [map] = await s.assign(job, [[0, 4]]);
      await s.commit(job, map!);
      expect(await s.store.restartSplit({ attempt: attemptOf(job, part, 7), why: 'other items' })).toEqual({
        outcome: 'staleAttempt',
      });
      const restarted = await s.store.restartSplit({ attempt: attemptOf(job, part), why: 'other items' });
      expect(restarted).toEqual({ outcome: 'restarted', generation: 2 });
      expect((await s.store.restartSplit({ attempt: attemptOf(job, part), why: 'other items' })).outcome).toBe(
        'staleAttempt',
      );
      expect((await s.store.getJob({ job })).job).toMatchObject({
        state: 'splitting',
        generation: 2,
        items: 0,
        cut: 0,
        sealed: false,
      });
      expect((await s.store.loadParts({ job, generation: 2 })).parts).toMatchObject([
        { part: 'split:0-1', state: 'pending', lastAttempt: 0 },
      ]);
      expect(await s.counts(job)).toEqual({ committed: 0, failed: 0, open: 1 });
      expect(await s.output(job)).toBe('');
      expect((await s.store.readItems({ job, generation: 2, from: 0, to: 4 })).reply.to).toBe(0);
      expect((await s.commit(job, map!)).outcome).toBe('staleAttempt');
      expect(await append(s, job, block(0, 0, 4), attemptOf(job, part))).toEqual({ outcome: 'staleAttempt' });
      expect(await s.told()).toEqual(['splitting 1', 'note', 'splitting 2']);
      await s.store.cancelJob({ job, why: 'enough' });
      expect((await s.store.restartSplit({ attempt: attemptOf(job, part, 1, 2), why: '' })).outcome).toBe('jobEnded');
    });

    it('starts again when a later attempt ends before it reached what was stored', async () => {
      const s = await given();
      const { job, part } = await splitting(s);
      await append(s, job, block(0, 0, 4), attemptOf(job, part));
      await append(s, job, block(1, 4, 6), attemptOf(job, part));
      await s.save(job, { ended: [[part, 1]], attempts: [[part, 2]] }, 1, node1);
      expect((await seal(s, job, part, 4, 2)).outcome).toBe('staleAttempt');
      expect((await s.store.getJob({ job })).job).toMatchObject({ state: 'splitting', generation: 2, items: 0 });
    });

    it('ends after its tries, also when it starts again each time', async () => {
      const s = await given();
      const { job, part } = await splitting(s);
      const reply = await s.commit(job, part, { done: [], failed: [0] });
      expect(reply.children).toMatchObject([{ part: 'split:0-1~1', avoid: node1 }]);
      const retry = reply.children[0]!.part;
      await s.save(job, { attempts: [[retry, 1]] });
      await s.store.restartSplit({ attempt: attemptOf(job, retry), why: 'other items' });
      expect(await s.open(job, 2)).toEqual(['split:0-1~1']);
      await s.save(job, { attempts: [[retry, 1]] }, 2);
      const [request, raw] = s.commitRequest(job, retry, { done: [], failed: [0] }, 1, 2);
      const next = (await s.store.commitPart(request, raw)).children[0]!.part;
      await s.save(job, { attempts: [[next, 1]] }, 2);
      const last = await s.commit(job, next, { done: [], failed: [0] }, 1, 2);
      expect(last).toMatchObject({ children: [], failed: [{ part: 'split:0-1~2' }] });
      expect(await s.counts(job)).toMatchObject({ open: 0, failed: 0, fatal: { part: 'split:0-1~2' } });
    });
  });
}

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
  });
}
