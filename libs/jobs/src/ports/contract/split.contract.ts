/// <reference types="jest" />
import type { JobId, PartId } from '@das/kernel';
import { append, attemptOf, block } from './blocks.js';
import { type Given, type Scenario, node1, node2, specOf } from './scenario.js';

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
