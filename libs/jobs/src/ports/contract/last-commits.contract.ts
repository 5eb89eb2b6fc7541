/// <reference types="jest" />
import type { JobId, PartId } from '@das/kernel';
import { partIdOf } from '../../core/part-id.js';
import { type Given, type Scenario, linesFrom, mapRow, specOf } from './scenario.js';

const last = { more: { last: true } };

/** A commit that may be the last one ends its job, unless anything is left of it. */
export function lastCommitRules(given: Given): void {
  const stateOf = async (s: Scenario, job: JobId) => (await s.store.getJob({ job })).job?.state;
  const whole = async (s: Scenario, change: Parameters<typeof specOf>[0] = {}): Promise<[JobId, PartId]> => {
    const job = await s.create(specOf(change));
    const [part] = await s.assign(job, [[0, 10]]);
    return [job, part!];
  };

  describe('the last commit', () => {
    it('ends its job, tells so once, and is known again with that end', async () => {
      const s = await given();
      const [job, part] = await whole(s);
      expect(await s.commit(job, part, last)).toMatchObject({ outcome: 'committed', ended: true });
      expect((await s.store.getJob({ job })).job).toMatchObject({ state: 'succeeded', finishedAt: expect.any(Number) });
      expect(await s.output(job)).toBe(linesFrom(0, 10));
      const again = await s.commit(job, part, last);
      expect([again.outcome, again.ended, again.whole]).toEqual(['alreadyCommitted', true, undefined]);
      expect((await s.advance(job, 'succeeded')).outcome).toBe('advanced');
      expect((await s.advance(job, 'failed')).outcome).toBe('jobEnded');
      expect(await s.told()).toEqual(['running 1', 'succeeded 1']);
    });

    it('says whether its rows are the whole result', async () => {
      const s = await given();
      const [job, part] = await whole(s);
      expect(await s.commit(job, part, last)).toMatchObject({ whole: true });
      const cut = await s.create();
      const [first, second] = await s.assign(cut, [
        [0, 4],
        [4, 10],
      ]);
      await s.commit(cut, first!);
      const reply = await s.commit(cut, second!, last);
      expect([reply.ended, reply.whole]).toEqual([true, undefined]);
    });

    it('ends its job once where two came together that may each be the last', async () => {
      const s = await given();
      const job = await s.create();
      const parts = await s.assign(job, [
        [0, 4],
        [4, 10],
      ]);
      const replies = await Promise.all(parts.map((part) => s.commit(job, part, last)));
      expect(replies.filter(({ ended }) => ended)).toHaveLength(1);
      expect(await s.told()).toEqual(['running 1', 'succeeded 1']);
      const [again] = await Promise.all(parts.map((part) => s.commit(job, part)));
      expect(again).not.toHaveProperty('ended');
    });

    it.each([
      ['in another order', [mapRow(5, 10), mapRow(0, 5)]],
      ['for another step', [{ ...mapRow(0, 10), row: { ...mapRow(0, 10).row, kind: 'shuffle' as const } }]],
    ])('has no whole result when its rows are %s', async (_, rows) => {
      const s = await given();
      const [job, part] = await whole(s);
      const reply = await s.commit(job, part, { rows, ...last });
      expect([reply.ended, reply.whole]).toEqual([true, undefined]);
    });

    it('has no whole result when rows were sent ahead', async () => {
      const s = await given();
      const [job, part] = await whole(s);
      const [request, raw] = s.commitRequest(job, part, { rows: [mapRow(0, 5)] });
      await s.store.stageOutput({ attempt: request.attempt, rows: request.rows }, raw);
      const reply = await s.commit(job, part, { rows: [mapRow(5, 10)], ...last });
      expect([reply.ended, reply.whole, await s.output(job)]).toEqual([true, undefined, linesFrom(0, 10)]);
    });

    it('does so only where its sender says that it may be the last', async () => {
      const s = await given();
      const [job, part] = await whole(s);
      expect(await s.commit(job, part)).not.toHaveProperty('ended');
      expect(await stateOf(s, job)).toBe('running');
    });

    it('leaves a job alone that has an open part, or items that nobody cut', async () => {
      const s = await given();
      const job = await s.create();
      const [first, second] = await s.assign(job, [
        [0, 4],
        [4, 9],
      ]);
      expect(await s.commit(job, first!, last)).not.toHaveProperty('ended');
      expect(await s.commit(job, second!, last)).not.toHaveProperty('ended');
      const [third] = await s.assign(job, [[9, 10]]);
      expect(await s.commit(job, third!, last)).toMatchObject({ ended: true });
    });

    it.each([
      ['an item that is tried again', { done: [[0, 9]], failed: [9] }, {}],
      ['an item that failed for good', { done: [[0, 9]], failed: [9] }, { retries: 0 }],
      ['a rest that goes on', { done: [[0, 9]], unfinished: [[9, 10]] }, {}],
    ] as const)('leaves a job alone that has %s', async (_, outcome, limits) => {
      const s = await given();
      const [job, part] = await whole(s, { limits });
      const reply = await s.commit(job, part, { ...outcome, ...last });
      expect([reply.outcome, reply.ended, await stateOf(s, job)]).toEqual(['committed', undefined, 'running']);
    });

    it.each(['gather', 'reduce', 'on_success'] as const)('leaves a job alone whose script has %s', async (step) => {
      const s = await given();
      const [job, part] = await whole(s, { functions: { [step]: true } });
      const rows = step === 'reduce' ? { rows: [] } : {};
      const reply = await s.commit(job, part, { ...rows, ...last });
      expect([reply.outcome, reply.ended, await stateOf(s, job)]).toEqual(['committed', undefined, 'running']);
    });

    it('may be that of a step', async () => {
      const s = await given();
      const [job, part] = await whole(s, { functions: { gather: true } });
      await s.commit(job, part);
      const gather = partIdOf('gather', 0, 1, 0);
      await s.advance(job, 'gathering', [gather]);
      await s.save(job, { attempts: [[gather, 1]] });
      expect(await s.commit(job, gather, last)).toMatchObject({ outcome: 'committed', ended: true });
      const main = await s.create(specOf({ input: { kind: 'none' }, functions: { map: false, main: true } }));
      expect(await s.commit(main, await s.assignStep(main, 'main'), last)).toMatchObject({ ended: true });
    });

    it('ends nothing when its part failed as a whole', async () => {
      const s = await given();
      const [job, part] = await whole(s);
      const fatal = { code: 'SCRIPT_IMPORT', message: 'it cannot be imported' };
      const reply = await s.commit(job, part, { done: [], rows: [], more: { last: true, fatal } });
      expect([reply.outcome, reply.ended, await stateOf(s, job)]).toEqual(['committed', undefined, 'running']);
    });

    it('is refused when its attempt was ended, and ends nothing', async () => {
      const s = await given();
      const [job, part] = await whole(s);
      await s.save(job, { ended: [[part, 1]] });
      expect((await s.commit(job, part, last)).outcome).toBe('staleAttempt');
      expect(await stateOf(s, job)).toBe('running');
    });
  });
}
