/// <reference types="jest" />
import { type Failure, limits } from '@das/contracts';
import type { JobId } from '@das/kernel';
import { partIdOf } from '../../core/part-id.js';
import { type Given, type Scenario, node2, none, specOf } from './scenario.js';

const hook = partIdOf('hook', 0, 1, 0);
const both = { functions: { on_success: true, on_failure: true } };
const cannot: Failure = { code: 'PART_GIVEN_BACK', message: 'no node can run it', part: hook };

/** A job whose items are all committed. */
async function allCommitted(s: Scenario, change: Parameters<typeof specOf>[0] = both): Promise<JobId> {
  const job = await s.create(specOf(change));
  const [part] = await s.assign(job, [[0, 10]]);
  await s.commit(job, part!);
  return job;
}

const recordOf = async (s: Scenario, job: JobId) => (await s.store.getJob({ job })).job!;

export function outcomeRules(given: Given): void {
  describe('an outcome with a hook', () => {
    it('is decided first: the job settles, and ends so once the hook is committed', async () => {
      const s = await given();
      const job = await allCommitted(s);
      const settled = await s.advance(job, 'succeeded');
      const decision = { id: `${job}-succeeded`, outcome: 'succeeded', decidedAt: expect.any(Number) };
      expect(settled).toMatchObject({ outcome: 'advanced', job: { state: 'settling', decision } });
      expect(settled.job?.finishedAt).toBeUndefined();
      expect(await s.open(job)).toEqual([hook]);
      expect((await s.store.loadJobs({})).jobs.map(({ record }) => record.spec.job)).toEqual([job]);
      expect((await s.store.listJobs({ state: 'settling', limit: 10 })).jobs).toHaveLength(1);
      expect((await s.advance(job, 'succeeded')).outcome).toBe('partsOpen');
      await s.save(job, { attempts: [[hook, 1]] });
      expect((await s.commit(job, hook)).outcome).toBe('committed');
      expect((await s.advance(job, 'failed')).outcome).toBe('decided');
      expect(await s.advance(job, 'succeeded')).toMatchObject({ outcome: 'advanced', job: { state: 'succeeded' } });
      const ended = await recordOf(s, job);
      expect(ended.decision).toEqual(settled.job?.decision);
      expect([ended.failure, ended.hookFailure]).toEqual([undefined, undefined]);
      expect(ended.finishedAt).toBeGreaterThan(0);
      expect(await s.counts(job)).toMatchObject({ committed: 10, failed: 0, open: 0 });
      expect(await s.told()).toEqual(['running 1', 'settling 1', 'succeeded 1']);
    });

    it('ends what is open when it is a failure, and is told as one at the end only', async () => {
      const s = await given();
      const job = await s.create(specOf(both));
      const [part] = await s.assign(job, [[0, 5]]);
      const { job: settling } = await s.advance(job, 'failed');
      expect(settling).toMatchObject({ state: 'settling', decision: { outcome: 'failed', failure: { code: 'TEST' } } });
      expect(settling?.failure).toBeUndefined();
      expect((await s.commit(job, part!)).outcome).toBe('staleAttempt');
      expect(await s.output(job)).toBe('');
      expect((await s.store.listParts({ job, limit: 10 })).parts).toMatchObject([
        { part, state: 'cancelled', attempts: [{ state: 'ended' }] },
        { part: hook, state: 'pending' },
      ]);
      expect(await s.save(job, { parts: [partIdOf('map', 5, 10, 0)], cut: 10 })).toMatchObject({ stale: [job] });
      expect(await s.open(job)).toEqual([hook]);
      await s.save(job, { attempts: [[hook, 1]] });
      await s.commit(job, hook);
      expect(await s.advance(job, 'failed')).toMatchObject({ job: { state: 'failed', failure: { code: 'TEST' } } });
    });

    it('has one decision when two leaders decide differently at once, and the other sees it', async () => {
      const s = await given();
      for (let round = 0; round < 10; round++) {
        const job = await allCommitted(s);
        const [one, other] = await Promise.all([
          s.advance(job, 'succeeded', [], 1, round % 2 ? s.store : s.other),
          s.advance(job, 'failed', [], 1, round % 2 ? s.other : s.store),
        ]);
        expect([one.outcome, other.outcome].sort()).toEqual(['advanced', 'decided']);
        const { decision } = await recordOf(s, job);
        expect(decision?.outcome).toBe(one.outcome === 'advanced' ? 'succeeded' : 'failed');
        expect([one.job?.decision, other.job?.decision]).toEqual([decision, decision]);
        expect(await s.open(job)).toEqual([hook]);
        expect((await s.told()).filter((event) => event.startsWith('settling'))).toHaveLength(1);
      }
    });

    it('is decided, or the job is cancelled, never both', async () => {
      const s = await given();
      for (let round = 0; round < 10; round++) {
        const job = await allCommitted(s);
        const [advance, cancel] = await Promise.all([
          s.advance(job, 'succeeded'),
          s.other.cancelJob({ job, why: 'race' }),
        ]);
        const { state, decision } = await recordOf(s, job);
        if (state === 'settling') expect([advance.outcome, cancel.outcome]).toEqual(['advanced', 'decided']);
        else expect([state, advance.outcome, cancel.outcome]).toEqual(['cancelled', 'jobEnded', 'cancelled']);
        expect(decision?.outcome).toBe(state === 'settling' ? 'succeeded' : undefined);
      }
    });

    it('stays when the hook fails for good, and the job names why', async () => {
      const s = await given();
      const job = await allCommitted(s, { ...both, limits: { retries: 1 } });
      await s.advance(job, 'succeeded');
      await s.save(job, { attempts: [[hook, 1]] });
      await s.commit(job, hook, { done: [], failed: [0] });
      const again = partIdOf('hook', 0, 1, 1);
      expect(await s.open(job)).toEqual([again]);
      expect((await s.advance(job, 'succeeded')).outcome).toBe('partsOpen');
      await s.save(job, { attempts: [[again, 1]] });
      await s.commit(job, again, { done: [], failed: [0] });
      expect((await s.advance(job, 'failed')).outcome).toBe('decided');
      await s.advance(job, 'succeeded');
      const { state, failure, hookFailure } = await recordOf(s, job);
      expect([state, failure, hookFailure?.code]).toEqual(['succeeded', undefined, 'SCRIPT_RAISED']);
      expect((await s.advance(job, 'succeeded')).job?.hookFailure).toEqual(hookFailure);
    });

    it('stays when the hook is given up', async () => {
      const s = await given();
      const job = await allCommitted(s);
      await s.advance(job, 'failed');
      const giveUp = { act: s.act(), job, generation: 1, to: 'failed' as const, parts: [], failure: cannot };
      const { job: ended } = await s.store.advanceJob(giveUp);
      expect(ended).toMatchObject({ state: 'failed', failure: { code: 'TEST' }, hookFailure: cannot });
      expect(await s.open(job)).toEqual([]);
    });

    it('is not asked for by a leader whose term is over, nor decided where there is no hook for it', async () => {
      const s = await given();
      const job = await allCommitted(s, { functions: { on_failure: true } });
      const old = s.act();
      await s.lead(node2);
      const late = { act: old, job, generation: 1, to: 'failed' as const, parts: [] };
      expect((await s.store.advanceJob(late)).outcome).toBe('staleTerm');
      expect(await s.advance(job, 'succeeded')).toMatchObject({ job: { state: 'succeeded' } });
      expect((await recordOf(s, job)).decision).toBeUndefined();
    });
  });

  describe('the attempts of a hook', () => {
    it('are one at a time; after one was ended, none starts before its holder has surely stopped', async () => {
      const s = await given();
      const job = await allCommitted(s);
      await s.advance(job, 'succeeded');
      await s.save(job, { attempts: [[hook, 1]] });
      expect(await s.save(job, { attempts: [[hook, 2]] })).toMatchObject({ stale: [job] });
      await s.save(job, { ended: [[hook, 1]] });
      expect(await s.save(job, { attempts: [[hook, 2]] })).toMatchObject({ stale: [job] });
      const { parts } = await s.store.loadParts({ job, generation: 1 });
      expect(parts).toMatchObject([{ part: hook, state: 'pending', lastAttempt: 1, live: [] }]);
      expect(parts[0]?.restMs).toBeGreaterThan(limits.hookLeaseMs - 1_000);
      expect(parts[0]?.restMs).toBeLessThanOrEqual(limits.hookRestMs);
      expect((await s.commit(job, hook)).outcome).toBe('staleAttempt');
    });

    it('are confirmed while they are live, and not after', async () => {
      const s = await given();
      const job = await allCommitted(s);
      await s.advance(job, 'succeeded');
      await s.save(job, { attempts: [[hook, 1]] });
      const confirm = async () => {
        const attempt = { job, generation: 1, part: hook, attempt: 1 };
        return (await s.store.stageOutput({ attempt, rows: [] }, none)).outcome;
      };
      expect([await confirm(), await confirm()]).toEqual(['staged', 'staged']);
      await s.save(job, { ended: [[hook, 1]] });
      expect(await confirm()).toBe('staleAttempt');
    });

    it('give no output', async () => {
      const s = await given();
      const job = await allCommitted(s);
      await s.advance(job, 'succeeded');
      await s.save(job, { attempts: [[hook, 1]] });
      const rows = [{ row: { kind: 'map' as const, bucket: 0, from: 0, to: 1, seq: 9 }, text: 'x\n' }];
      await expect(s.commit(job, hook, { rows })).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
    });
  });
}
