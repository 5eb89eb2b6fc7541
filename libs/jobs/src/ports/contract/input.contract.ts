/// <reference types="jest" />
import { limits } from '@das/contracts';
import { append, block } from './blocks.js';
import { type Given, linesFrom, none, sha256, specOf, textOf } from './scenario.js';

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
