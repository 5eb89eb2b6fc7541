import { type Assignment, Fault } from '@das/contracts';
import { type PartId, jobId, nodeId } from '@das/kernel';
import { LockClient } from '@das/platform';
import { FakeClock, settled } from '@das/testing';
import { AttemptLocks } from './attempt-locks.js';

const assignment: Assignment = {
  ...{ job: jobId('j'), generation: 1, part: 'map:0-1' as PartId, attempt: 3, kind: 'map', from: 0, to: 1, tries: 0 },
};
const acquire = { op: 'acquire' as const, name: 'stock', limitMs: 30_000, waitMs: 60_000 };
const held = { outcome: 'held', by: { kind: 'client' }, expiresAt: 1_700_000_000_000, leftMs: 900_000 };

function given(says: (operation: string) => object) {
  const clock = new FakeClock();
  const asked: unknown[] = [];
  const call = async ({ name }: { name: string }, body: unknown) => {
    asked.push([name, body]);
    const said = says(name);
    if (said instanceof Fault) throw said;
    return { body: said, raw: new Uint8Array() };
  };
  const over = new AbortController();
  const client = new LockClient({ call } as never, clock);
  return { clock, asked, over, locks: new AttemptLocks(client, nodeId('node-1'), assignment, over.signal) };
}

describe('the locks of an attempt', () => {
  it('are held in its name', async () => {
    const { locks, asked } = given(() => ({ outcome: 'acquired', fence: 5 }));
    expect(await locks.ask(acquire)).toEqual({ fence: 5 });
    const { job, generation, part, attempt } = assignment;
    const holder = { kind: 'attempt', job, generation, part, attempt, node: 'node-1' };
    expect(asked).toEqual([['store.acquire-lock', { name: 'stock', holder, limitMs: 30_000 }]]);
  });

  it('that others hold to the end of the wait are refused with who holds them', async () => {
    const { locks, clock } = given(() => held);
    const answer = locks.ask(acquire);
    await clock.advanceAsync(60_000);
    expect(await answer).toEqual({
      refusal: 'timeout',
      why: 'not had within 60 s: the lock stock is held by a client until 2023-11-14T22:13:20.000Z (900 s more) unless it is released or renewed',
    });
    expect(clock.pending).toBe(0);
  });

  it('are waited for no longer once the worker asks something else, or is gone', async () => {
    const { locks, clock, over } = given((name) => (name === 'store.acquire-lock' ? held : { outcome: 'notHeld' }));
    const first = locks.ask(acquire);
    await settled();
    expect(await locks.ask({ op: 'release', name: 'stock' })).toEqual({ released: true });
    expect(await first).toMatchObject({ refusal: 'over' });
    const second = locks.ask(acquire);
    await settled();
    over.abort();
    expect(await second).toMatchObject({ refusal: 'over' });
    expect(clock.pending).toBe(0);
  });

  it('are asked for one after the other: what is given back is free before it is wanted again', async () => {
    const { locks, asked } = given((name) => (name === 'store.acquire-lock' ? { outcome: 'acquired', fence: 6 } : {}));
    await Promise.all([locks.ask({ op: 'release', name: 'stock', fence: 5 }), locks.ask(acquire)]);
    expect(asked.map((call) => (call as string[])[0])).toEqual(['store.release-lock', 'store.acquire-lock']);
  });

  it.each([
    [{ outcome: 'staleAttempt' }, { refusal: 'over' }],
    [
      new Fault('REQUEST_INVALID', 'no such name'),
      { refusal: 'timeout', why: expect.stringContaining('no such name') },
    ],
  ])('are refused for %j', async (said, answer) => {
    expect(await given(() => said).locks.ask(acquire)).toMatchObject(answer);
  });

  it('are given back when nothing is known of them, before anything else is asked', async () => {
    let away = true;
    const { locks, asked, clock } = given((name) => {
      if (away) return new Fault('STORE_UNAVAILABLE', 'the answer was lost');
      return name === 'store.acquire-lock' ? { outcome: 'acquired', fence: 6 } : { outcome: 'released' };
    });
    expect(await locks.ask({ ...acquire, waitMs: 0 })).toMatchObject({ refusal: 'timeout' });
    const again = locks.ask(acquire);
    await settled();
    away = false;
    await clock.advanceAsync(1_000);
    expect(await again).toEqual({ fence: 6 });
    expect(asked.map((call) => (call as string[])[0])).toEqual([
      'store.acquire-lock',
      'store.release-lock',
      'store.release-lock',
      'store.acquire-lock',
    ]);
    const holder = { kind: 'attempt', attempt: assignment.attempt };
    expect(asked[2]).toMatchObject(['store.release-lock', { name: 'stock', holder }]);
    expect(clock.pending).toBe(0);
  });

  it('are renewed, or told to be lost', async () => {
    const renew = { op: 'renew' as const, name: 'stock', fence: 5, limitMs: 1_000 };
    expect(await given(() => ({ outcome: 'renewed', fence: 5 })).locks.ask(renew)).toEqual({ fence: 5 });
    expect(await given(() => ({ outcome: 'lost' })).locks.ask(renew)).toMatchObject({ refusal: 'lost' });
  });
});
