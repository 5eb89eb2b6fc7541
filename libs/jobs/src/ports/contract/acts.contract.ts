/// <reference types="jest" />
import { jobId } from '@das/kernel';
import { partIdOf } from '../../core/part-id.js';
import { type Given, type Scenario, node1, node2, specOf } from './scenario.js';

export function actRules(given: Given): void {
  describe("a leader's acts", () => {
    it('refuses an older term and writes nothing of it', async () => {
      const s = await given();
      const job = await s.create();
      const old = s.term;
      await s.lead(node2);
      const part = partIdOf('map', 0, 10, 0);
      const reply = await s.save(job, { parts: [part], cut: 10, attempts: [[part, 1]] }, 1, node1, old);
      expect(reply).toEqual({ outcome: 'staleTerm', term: s.term, stale: [] });
      expect(await s.open(job)).toEqual([]);
      const act = { term: old, leader: node1, actSeq: 0 };
      expect((await s.store.advanceJob({ act, job, generation: 1, to: 'failed', parts: [] })).outcome).toBe(
        'staleTerm',
      );
      expect((await s.store.getJob({ job })).job).toMatchObject({ cut: 0, state: 'running' });
    });

    it('does not mind the same batch twice', async () => {
      const s = await given();
      const job = await s.create();
      const part = partIdOf('map', 0, 4, 0);
      const batch = { parts: [part], cut: 4, attempts: [[part, 1]] } as const;
      expect(await s.save(job, batch)).toMatchObject({ outcome: 'saved', stale: [] });
      expect(await s.save(job, batch)).toMatchObject({ outcome: 'saved', stale: [] });
      const { parts } = await s.store.loadParts({ job, generation: 1 });
      expect(parts).toMatchObject([{ part, state: 'assigned', lastAttempt: 1, live: [{ attempt: 1, node: node1 }] }]);
      expect(await s.save(job, { ended: [[part, 1]] })).toMatchObject({ stale: [] });
      expect(await s.save(job, { ended: [[part, 1]] })).toMatchObject({ stale: [] });
      expect((await s.store.loadParts({ job, generation: 1 })).parts).toMatchObject([
        { state: 'pending', lastAttempt: 1, live: [] },
      ]);
    });

    it('leaves out what no longer applies and names its job', async () => {
      const s = await given();
      const [job, ended, fine] = [await s.create(), await s.create(), await s.create()];
      const [part] = await s.assign(job, [[0, 4]]);
      await s.commit(job, part!);
      await s.store.cancelJob({ job: ended, why: 'enough' });
      const act = (id: typeof job, p = part!) => ({ job: id, generation: 1, part: p, attempt: 2, node: node2 });
      const fresh = { job: fine, generation: 1, kind: 'map' as const, from: 0, to: 4, tries: 0, part: part! };
      const unknown = jobId('nobody');
      const reply = await s.store.saveActs({
        act: s.act(),
        parts: [fresh],
        cuts: [{ job: fine, generation: 1, cut: 4 }],
        attempts: [act(job), act(ended), act(fine), act(unknown)],
        ended: [{ job, generation: 2, part: part!, attempt: 1, why: 'lost' }],
      });
      expect([...reply.stale].sort()).toEqual([job, ended, unknown].sort());
      expect(await s.open(fine)).toEqual([part]);
      expect(await s.open(job)).toEqual([]);
    });

    it('never cuts an item twice or beyond what is stored, whatever a confused leader asks', async () => {
      const s = await given();
      const job = await s.create();
      await s.assign(job, [[0, 4]]);
      const cases = [
        { parts: [partIdOf('map', 2, 6, 0)], cut: 6 },
        { parts: [partIdOf('map', 5, 6, 0)], cut: 6 },
        { parts: [partIdOf('map', 4, 6, 0)], cut: 7 },
        { parts: [partIdOf('map', 4, 11, 0)], cut: 11 },
        { parts: [partIdOf('map', 4, 6, 1)], cut: 6 },
        { cut: 9 },
      ];
      for (const batch of cases) expect(await s.save(job, batch)).toMatchObject({ outcome: 'saved', stale: [job] });
      expect(await s.open(job)).toEqual(['map:0-4']);
      expect((await s.store.getJob({ job })).job?.cut).toBe(4);
      expect(
        await s.save(job, { parts: [partIdOf('map', 4, 6, 0), partIdOf('map', 6, 10, 0)], cut: 10 }),
      ).toMatchObject({ stale: [] });
    });

    it('refuses to move on while a part is open or items are not cut, and moves once', async () => {
      const s = await given();
      const job = await s.create();
      const [a] = await s.assign(job, [[0, 5]]);
      expect((await s.advance(job, 'succeeded')).outcome).toBe('partsOpen');
      await s.commit(job, a!);
      expect((await s.advance(job, 'succeeded')).outcome).toBe('partsOpen');
      const [b] = await s.assign(job, [[5, 10]]);
      expect((await s.advance(job, 'succeeded')).outcome).toBe('partsOpen');
      await s.commit(job, b!);
      expect(await s.advance(job, 'succeeded')).toMatchObject({ outcome: 'advanced', job: { state: 'succeeded' } });
      expect((await s.advance(job, 'succeeded')).outcome).toBe('advanced');
      expect((await s.advance(job, 'failed')).outcome).toBe('jobEnded');
      expect(await s.told()).toEqual(['running 1', 'succeeded 1']);
    });

    it('refuses to move on for a leader that counts other failures than are stored', async () => {
      const s = await given();
      const job = await s.create(specOf({ limits: { retries: 0 } }));
      const [part] = await s.assign(job, [[0, 10]]);
      await s.commit(job, part!, { done: [[0, 8]], failed: [8, 9] });
      const advance = async (to: 'succeeded' | 'failed', failed?: number) =>
        (await s.advance(job, to, [], 1, s.store, failed)).outcome;
      for (const known of [0, 1, 3]) expect(await advance('succeeded', known)).toBe('partsOpen');
      expect((await s.store.getJob({ job })).job?.state).toBe('running');
      expect([await advance('succeeded', 2), await advance('succeeded', 0)]).toEqual(['advanced', 'advanced']);
      const other = await s.create(specOf({ limits: { retries: 0 } }));
      await s.commit(other, (await s.assign(other, [[0, 10]]))[0]!, { done: [[0, 9]], failed: [9] });
      expect((await s.advance(other, 'failed', [], 1, s.store, 0)).outcome).toBe('advanced');
    });

    it('never ends a job well whose part failed as a whole, or whose step failed', async () => {
      const s = await given();
      const job = await s.create();
      const [part] = await s.assign(job, [[0, 10]]);
      await s.commit(job, part!, { done: [], more: { fatal: { code: 'SCRIPT_IMPORT', message: 'no module x' } } });
      for (const to of ['succeeded', 'gathering'] as const)
        expect((await s.advance(job, to, [], 1, s.store, 10)).outcome).toBe('partsOpen');
      expect((await s.advance(job, 'failed')).outcome).toBe('advanced');
      const step = await s.create(specOf({ functions: { gather: true }, limits: { retries: 0 } }));
      const [map] = await s.assign(step, [[0, 10]]);
      await s.commit(step, map!);
      const gather = partIdOf('gather', 0, 1, 0);
      await s.advance(step, 'gathering', [gather]);
      await s.save(step, { attempts: [[gather, 1]] });
      await s.commit(step, gather, { done: [], failed: [0] });
      expect((await s.advance(step, 'succeeded', [], 1, s.store, 0)).outcome).toBe('partsOpen');
      expect((await s.advance(step, 'failed')).outcome).toBe('advanced');
    });

    it('moves to gathering with the step parts, and on when they are done', async () => {
      const s = await given();
      const job = await s.create(specOf({ functions: { reduce: true } }));
      const [part] = await s.assign(job, [[0, 10]]);
      await s.commit(job, part!, { rows: [] });
      const reduces = [partIdOf('reduce', 0, 1, 0), partIdOf('reduce', 1, 2, 0)];
      expect((await s.advance(job, 'gathering', reduces)).outcome).toBe('advanced');
      expect((await s.advance(job, 'gathering', reduces)).outcome).toBe('advanced');
      expect(await s.open(job)).toEqual(reduces);
      await s.save(job, { attempts: reduces.map((p) => [p, 1] as const) });
      const row = { kind: 'reduce' as const, bucket: 0, from: 1, to: 2, seq: 0 };
      await s.commit(job, reduces[1]!, { rows: [{ row, text: '{"key":"b","value":1}\n' }] });
      await s.commit(job, reduces[0]!, { done: [], failed: [0] });
      expect(await s.open(job)).toEqual(['reduce:0-1~1']);
      expect(await s.output(job, { kind: 'reduce' })).toBe('{"key":"b","value":1}\n');
      expect(await s.counts(job)).toMatchObject({ committed: 10, failed: 0, open: 1 });
    });

    it('fails a job at any time: open parts end, nothing can be committed', async () => {
      const s = await given();
      const job = await s.create();
      const [part] = await s.assign(job, [[0, 5]]);
      expect(await s.advance(job, 'failed')).toMatchObject({
        outcome: 'advanced',
        job: { state: 'failed', failure: { code: 'TEST' } },
      });
      expect((await s.commit(job, part!)).outcome).toBe('jobEnded');
      expect(await s.counts(job)).toEqual({ committed: 0, failed: 0, open: 0 });
      const { parts } = await s.store.listParts({ job, limit: 10 });
      expect(parts).toMatchObject([{ part, state: 'cancelled', attempts: [{ state: 'ended' }] }]);
      expect(await s.store.loadJobs({})).toEqual({ jobs: [], more: false });
    });

    it('lets one of two last commits on two instances finish the job, and both be kept', async () => {
      const s = await given();
      for (let round = 0; round < 5; round++) {
        const job = await s.create();
        const [a, b] = await s.assign(job, [
          [0, 5],
          [5, 10],
        ]);
        const finish = async (part: typeof a, store: Scenario['store']) => {
          await s.commit(job, part!, {}, 1, 1, store);
          return (await s.advance(job, 'succeeded', [], 1, store)).outcome;
        };
        const outcomes = await Promise.all([finish(a, s.store), finish(b, s.other)]);
        expect(outcomes).toContain('advanced');
        expect((await s.store.getJob({ job })).job?.state).toBe('succeeded');
        expect(await s.output(job)).toBe('0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n');
        expect((await s.told()).filter((event) => event.startsWith('succeeded'))).toHaveLength(1);
      }
    });

    it('lets a cancel or the last commit win, never both', async () => {
      const s = await given();
      for (let round = 0; round < 10; round++) {
        const job = await s.create();
        const [part] = await s.assign(job, [[0, 10]]);
        const finish = async () => {
          const { outcome } = await s.commit(job, part!, {}, 1, 1, s.store);
          return [outcome, (await s.advance(job, 'succeeded', [], 1, s.store)).outcome];
        };
        const [[commit, advance], cancel] = await Promise.all([finish(), s.other.cancelJob({ job, why: 'race' })]);
        const { job: record } = await s.store.getJob({ job });
        if (record?.state === 'succeeded')
          expect([commit, advance, cancel.outcome]).toEqual(['committed', 'advanced', 'ended']);
        else expect([record?.state, advance, cancel.outcome]).toEqual(['cancelled', 'jobEnded', 'cancelled']);
        expect(await s.output(job)).toBe(commit === 'committed' ? '0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n' : '');
        expect(await s.counts(job)).toMatchObject({ open: 0, committed: commit === 'committed' ? 10 : 0 });
      }
    });

    it('cancels once; twice is fine; after the end it says so', async () => {
      const s = await given();
      const job = await s.create();
      expect(await s.store.cancelJob({ job, why: 'enough' })).toMatchObject({
        outcome: 'cancelled',
        job: { state: 'cancelled', failure: { message: 'enough' } },
      });
      expect((await s.store.cancelJob({ job, why: 'enough' })).outcome).toBe('alreadyCancelled');
      const done = await s.create(specOf({ input: { kind: 'range', from: 0, to: 0 } }));
      await s.advance(done, 'succeeded');
      expect((await s.store.cancelJob({ job: done, why: 'late' })).outcome).toBe('ended');
      expect((await s.store.cancelJob({ job: jobId('nobody'), why: 'late' })).outcome).toBe('unknown');
      expect(await s.told()).toEqual(['running 1', 'cancelled 1', 'running 1', 'succeeded 1']);
    });
  });
}
