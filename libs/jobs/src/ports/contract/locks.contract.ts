/// <reference types="jest" />
import { type LockHolder, lockLimits } from '@das/contracts';
import type { JobId, NodeId, PartId } from '@das/kernel';
import type { ResultStore } from '../result-store.js';
import { type Given, type Scenario, node1, node2, specOf } from './scenario.js';

const limitMs = lockLimits.limitMsDefault;
const client = (token: string): LockHolder => ({ kind: 'client', token });
const holderOf = (job: JobId, part: PartId, attempt = 1, node: NodeId = node1): LockHolder => ({
  ...{ kind: 'attempt', job, generation: 1, part, attempt, node },
});
const [anna, bert] = [client('anna'), client('bert')];

const take = (store: ResultStore, holder: LockHolder, name = 'stock') => store.acquireLock({ name, holder, limitMs });
async function fenceOf(store: ResultStore, holder: LockHolder, name = 'stock'): Promise<number> {
  const reply = await take(store, holder, name);
  if (reply.outcome !== 'acquired') throw new Error(`${name} is not free: ${JSON.stringify(reply)}`);
  return reply.fence;
}
function timeOf({ locks }: Scenario): NonNullable<Scenario['locks']> {
  if (locks === undefined) throw new Error('the harness cannot let time pass');
  return locks;
}

export function lockRules(given: Given): void {
  describe('locks of users', () => {
    it('lets one of twenty have it, and tells the others by whom and until when', async () => {
      const s = await given();
      const asked = Array.from({ length: 20 }, (_, i) => take(i % 2 ? s.store : s.other, client(`c${i}`)));
      const replies = await Promise.all(asked);
      const had = replies.flatMap((reply) => (reply.outcome === 'acquired' ? [reply] : []));
      const held = replies.flatMap((reply) => (reply.outcome === 'held' ? [reply] : []));
      expect([had.length, held.length]).toEqual([1, 19]);
      for (const { by, expiresAt, leftMs } of held) {
        expect([by, expiresAt]).toEqual([{ kind: 'client' }, had[0]?.expiresAt]);
        expect(leftMs).toBeGreaterThan(0);
        expect(leftMs).toBeLessThanOrEqual(limitMs);
      }
    });

    it('gives the same holder the same fence again, with a new limit, and the next holder a higher one', async () => {
      const s = await given();
      const fence = await fenceOf(s.store, anna);
      await timeOf(s).pass(limitMs - 5_000);
      const again = await take(s.other, anna);
      expect(again).toMatchObject({ outcome: 'acquired', fence });
      await timeOf(s).pass(limitMs - 5_000);
      expect((await take(s.store, bert)).outcome).toBe('held');
      expect(await s.store.releaseLock({ name: 'stock', holder: anna })).toEqual({ outcome: 'released' });
      expect(await fenceOf(s.store, bert)).toBeGreaterThan(fence);
    });

    it('ends a lock hard at its limit: neither renewing nor releasing it then touches the next holder', async () => {
      const s = await given();
      const fence = await fenceOf(s.store, anna);
      await timeOf(s).pass(limitMs);
      expect(await s.store.renewLock({ name: 'stock', holder: anna, limitMs })).toEqual({ outcome: 'lost' });
      const next = await fenceOf(s.other, bert);
      expect(next).toBeGreaterThan(fence);
      expect(await s.store.releaseLock({ name: 'stock', holder: anna })).toEqual({ outcome: 'notHeld' });
      expect((await take(s.store, anna)).outcome).toBe('held');
      await timeOf(s).pass(limitMs);
      expect(await fenceOf(s.store, anna)).toBeGreaterThan(next);
    });

    it('counts a limit that is renewed from then on', async () => {
      const s = await given();
      const fence = await fenceOf(s.store, anna);
      await timeOf(s).pass(limitMs - 1_000);
      expect(await s.store.renewLock({ name: 'stock', holder: anna, fence, limitMs: 60_000 })).toMatchObject({
        ...{ outcome: 'renewed', fence, leftMs: 60_000 },
      });
      await timeOf(s).pass(50_000);
      expect((await take(s.other, bert)).outcome).toBe('held');
    });

    it('does not mistake a lock of an earlier fence for the one that is held now', async () => {
      const s = await given();
      const first = await fenceOf(s.store, anna);
      await s.store.releaseLock({ name: 'stock', holder: anna, fence: first });
      const fence = await fenceOf(s.store, anna);
      expect(fence).toBeGreaterThan(first);
      const late = { name: 'stock', holder: anna, fence: first };
      expect(await s.store.releaseLock(late)).toEqual({ outcome: 'notHeld' });
      expect(await s.store.renewLock({ ...late, limitMs })).toEqual({ outcome: 'lost' });
      expect((await take(s.other, bert)).outcome).toBe('held');
    });

    it('answers the release of what one does not hold, twice too, with a value', async () => {
      const s = await given();
      const release = (holder: LockHolder) => s.store.releaseLock({ name: 'stock', holder });
      expect(await release(anna)).toEqual({ outcome: 'notHeld' });
      await take(s.store, anna);
      expect(await release(bert)).toEqual({ outcome: 'notHeld' });
      expect([await release(anna), await release(anna)]).toEqual([{ outcome: 'released' }, { outcome: 'notHeld' }]);
    });

    it('keeps locks of different names apart', async () => {
      const s = await given();
      await take(s.store, anna, 'a');
      expect((await take(s.store, bert, 'a:b')).outcome).toBe('acquired');
    });

    it('never lets a fence fall, not even of a name that was forgotten', async () => {
      const s = await given();
      let highest = 0;
      for (let i = 0; i < 5; i++) {
        highest = await fenceOf(s.store, anna);
        await s.store.releaseLock({ name: 'stock', holder: anna });
      }
      await take(s.store, bert, 'held');
      await timeOf(s).forget();
      expect(await fenceOf(s.other, anna)).toBeGreaterThan(highest);
      expect((await take(s.store, anna, 'held')).outcome).toBe('held');
    });
  });

  describe('locks held by an attempt', () => {
    const held = async (s: Scenario) => {
      const job = await s.create();
      const [part] = await s.assign(job, [[0, 5]]);
      if (part === undefined) throw new Error('nothing was assigned');
      const fence = await fenceOf(s.store, holderOf(job, part));
      expect(await take(s.other, bert)).toMatchObject({ outcome: 'held', by: holderOf(job, part) });
      return { job, part, fence };
    };

    const ends: Record<string, (s: Scenario, job: JobId, part: PartId) => Promise<unknown>> = {
      'the leader ended it': (s, job, part) => s.save(job, { ended: [[part, 1]] }),
      'it committed': (s, job, part) => s.commit(job, part),
      'its commit split the part': (s, job, part) =>
        s.commit(job, part, { done: [[0, 2]], failed: [2], unfinished: [[3, 5]] }),
      'its job was cancelled': (s, job) => s.store.cancelJob({ job, why: 'enough' }),
      'its job failed': (s, job) => s.advance(job, 'failed'),
    };
    it.each(Object.entries(ends))('are free as soon as %s, whatever their limit says', async (_, end) => {
      const s = await given();
      const { job, part, fence } = await held(s);
      await end(s, job, part);
      expect(await fenceOf(s.other, bert)).toBeGreaterThan(fence);
      expect(await s.store.releaseLock({ name: 'stock', holder: holderOf(job, part), fence })).toEqual({
        outcome: 'notHeld',
      });
    });

    it('are free when the items of its job start again', async () => {
      const s = await given();
      const job = await s.create(specOf({ input: { kind: 'split' }, functions: { split: true } }));
      const part = await s.assignStep(job, 'split');
      const fence = await fenceOf(s.store, holderOf(job, part));
      await s.store.restartSplit({ attempt: { job, generation: 1, part, attempt: 1 }, why: 'other items' });
      expect(await fenceOf(s.store, bert)).toBeGreaterThan(fence);
    });

    it('stay while another attempt of the part ends, which has none of them', async () => {
      const s = await given();
      const { job, part } = await held(s);
      await s.save(job, { attempts: [[part, 2]] }, 1, node2);
      expect((await take(s.store, holderOf(job, part, 2, node2))).outcome).toBe('held');
      await s.save(job, { ended: [[part, 2]] });
      expect((await take(s.store, bert)).outcome).toBe('held');
    });

    it('go to no attempt that is not live, and are renewed by none', async () => {
      const s = await given();
      const { job, part, fence } = await held(s);
      const mine = holderOf(job, part);
      await s.save(job, { ended: [[part, 1]] });
      expect(await take(s.store, mine)).toEqual({ outcome: 'staleAttempt' });
      expect(await s.store.renewLock({ name: 'stock', holder: mine, fence, limitMs })).toEqual({ outcome: 'lost' });
      expect(await take(s.store, mine, 'never-taken')).toEqual({ outcome: 'staleAttempt' });
      for (const stranger of [holderOf('job-x' as JobId, part), holderOf(job, 'map:7-8' as PartId)])
        expect(await take(s.store, stranger)).toEqual({ outcome: 'staleAttempt' });
    });
  });
}
