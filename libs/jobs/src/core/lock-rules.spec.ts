import type { LockHolder } from '@das/contracts';
import { type PartId, jobId, nodeId } from '@das/kernel';
import * as fc from 'fast-check';
import { type StoredLock, decideAcquire, decideRelease, decideRenew, holderAt, sameHolder } from './lock-rules.js';

const anna: LockHolder = { kind: 'client', token: 'anna' };
const attempt = (number: number, node = 'node-1'): LockHolder => ({
  ...{ kind: 'attempt', job: jobId('j'), generation: 1, part: 'map:0-1' as PartId, attempt: number },
  node: nodeId(node),
});
const name = 'stock';

describe('a holder', () => {
  it('is the attempt, whatever node says so, or the token; never one for the other', () => {
    expect(sameHolder(attempt(1), attempt(1, 'node-2'))).toBe(true);
    expect(sameHolder(attempt(1), attempt(2))).toBe(false);
    expect(sameHolder(anna, { kind: 'client', token: 'anna' })).toBe(true);
    expect(sameHolder(anna, { kind: 'client', token: 'bert' })).toBe(false);
    expect([sameHolder(anna, attempt(1)), sameHolder(attempt(1), anna)]).toEqual([false, false]);
  });

  it('has the lock up to its limit, and not at it', () => {
    const stored: StoredLock = { fence: 1, holder: anna, until: 10 };
    expect([holderAt(stored, 9), holderAt(stored, 10), holderAt(undefined, 0)]).toEqual([anna, undefined, undefined]);
  });
});

/** Who asks for what, how long after the one before. */
const step = fc.record({
  kind: fc.constantFrom('acquire', 'renew', 'release', 'end', 'forget'),
  who: fc.integer({ min: 0, max: 3 }),
  afterMs: fc.integer({ min: 0, max: 400 }),
  limitMs: fc.integer({ min: 100, max: 500 }),
  fence: fc.option(fc.integer({ min: 1, max: 12 }), { nil: undefined }),
});
const holders = [anna, { kind: 'client', token: 'bert' } as const, attempt(1), attempt(2)];

describe('a lock', () => {
  it('is never with two at a time, and no fence is given to two, whatever is asked in whatever order', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let [stored, floor, now]: [StoredLock | undefined, number, number] = [undefined, 0, 0];
        const ended = new Set<number>();
        const given = new Map<number, number>();
        let [highest, owner, until] = [0, -1, 0];
        for (const { kind, who, afterMs, limitMs, fence } of steps) {
          now += afterMs;
          const holder = holders[who]!;
          const live = !ended.has(who);
          const inForce = owner >= 0 && until > now && !ended.has(owner);
          if (kind === 'end' && who >= 2) ended.add(who);
          if (kind === 'forget' && stored !== undefined && stored.until <= now)
            [floor, stored] = [Math.max(floor, stored.fence), undefined];
          if (kind === 'acquire') {
            const request = { name, holder, limitMs };
            const holderLive = !ended.has(holders.findIndex((h) => stored?.holder && sameHolder(h, stored.holder)));
            const { write, reply } = decideAcquire({ stored, floor, request, askerLive: live, holderLive, now });
            if (reply.outcome === 'acquired') {
              expect(!inForce || owner === who).toBe(true);
              if (inForce) expect(reply.fence).toBe(highest);
              else expect(reply.fence).toBeGreaterThan(highest);
              expect(given.get(reply.fence) ?? who).toBe(who);
              given.set(reply.fence, who);
              [highest, owner, until] = [reply.fence, who, now + limitMs];
            } else expect(reply.outcome === 'staleAttempt' ? !live : inForce && owner !== who).toBe(true);
            stored = write ?? stored;
          }
          const mine = inForce && owner === who && (fence === undefined || fence === highest);
          if (kind === 'renew') {
            const { write, reply } = decideRenew(stored, { name, holder, fence, limitMs }, live, now);
            expect(reply.outcome).toBe(mine ? 'renewed' : 'lost');
            if (mine) until = now + limitMs;
            stored = write ?? stored;
          }
          if (kind === 'release') {
            const { write, reply } = decideRelease(stored, { name, holder, fence }, now);
            if (live) expect(reply.outcome).toBe(mine ? 'released' : 'notHeld');
            if (mine) owner = -1;
            stored = write ?? stored;
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});
