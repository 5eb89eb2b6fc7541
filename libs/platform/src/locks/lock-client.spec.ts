import { Fault, type LockHolder, acquireLock, releaseLock } from '@das/contracts';
import type { ServiceBus } from '@das/messaging';
import { FakeClock, settled } from '@das/testing';
import { LockClient, type LockReply, heldWords } from './lock-client.js';

const holder: LockHolder = { kind: 'client', token: 'anna' };
const request = { name: 'stock', holder, limitMs: 30_000 };
const held = { outcome: 'held' as const, by: { kind: 'client' as const }, expiresAt: 5_000, leftMs: 5_000 };
const had = { outcome: 'acquired' as const, fence: 7, expiresAt: 5_000, leftMs: 30_000 };
const away = new Fault('STORE_UNAVAILABLE', 'the database is away');

/** A store that says what the test says; everything else is as it is in a service. */
function given(says: () => LockReply | Fault | Promise<LockReply>) {
  const clock = new FakeClock();
  const asked: string[] = [];
  const bus = {
    call: async (operation: { name: string }) => {
      asked.push(`${operation.name}@${clock.monotonic()}`);
      if (operation.name === releaseLock.name) return { body: { outcome: 'released' }, raw: new Uint8Array() };
      const said = await says();
      if (said instanceof Fault) throw said;
      return { body: said, raw: new Uint8Array() };
    },
  } as unknown as Pick<ServiceBus, 'call'>;
  const client = new LockClient(bus, clock);
  const stop = new AbortController();
  const acquire = (waitMs: number) => client.acquire(request, waitMs, stop.signal).catch((fault: unknown) => fault);
  const acquires = () => asked.filter((name) => name.startsWith(acquireLock.name)).length;
  return { clock, client, stop, acquire, asked, acquires };
}

describe('a wait for a lock', () => {
  it('asks once when nobody is to wait', async () => {
    const { acquire, clock, acquires } = given(() => held);
    expect(await acquire(0)).toEqual(held);
    expect([acquires(), clock.pending]).toEqual([1, 0]);
  });

  it('ends with who holds it when its time is over, having asked a bounded number of times', async () => {
    const { acquire, clock, acquires } = given(() => ({ ...held, leftMs: 3_000_000 }));
    let reply: unknown;
    void acquire(60_000).then((said) => (reply = said));
    await clock.advanceAsync(59_999);
    expect(reply).toBeUndefined();
    await clock.advanceAsync(1);
    expect(reply).toMatchObject({ outcome: 'held' });
    expect(acquires()).toBeLessThan(70);
    expect(clock.pending).toBe(0);
  });

  it('asks again at once when it hears that the lock is free, also between the answer and the wait', async () => {
    let says: LockReply = held;
    const { acquire, client, clock, acquires } = given(async () => {
      const said = says;
      if (acquires() === 1) {
        says = had;
        client.freed('stock');
      }
      return said;
    });
    expect(await acquire(60_000)).toEqual(had);
    expect([acquires(), clock.monotonic(), clock.pending]).toEqual([2, 0, 0]);
  });

  it('is shortened for one at a time, in turn', async () => {
    const { acquire, client, stop, acquires } = given(() => held);
    const waiting = Array.from({ length: 20 }, () => acquire(60_000));
    await settled();
    expect(acquires()).toBe(20);
    for (let hint = 1; hint <= 3; hint++) {
      client.freed('stock');
      await settled();
      expect(acquires()).toBe(20 + hint);
    }
    stop.abort();
    await Promise.all(waiting);
  });

  it('does not ask for a hint of another lock', async () => {
    const { acquire, client, stop, acquires } = given(() => held);
    const waiting = acquire(60_000);
    await settled();
    client.freed('other');
    await settled();
    expect(acquires()).toBe(1);
    stop.abort();
    expect(await waiting).toEqual({ outcome: 'stopped' });
  });

  it('asks when the limit of the holder is over, not a second later', async () => {
    const { acquire, clock, asked } = given(() => (asked.length > 8 ? had : { ...held, leftMs: 20 }));
    const waiting = acquire(60_000);
    await clock.advanceAsync(200);
    expect(await waiting).toEqual(had);
  });

  it('outlasts a store that is away, and says so when it is away to the end', async () => {
    let says: LockReply | Fault = away;
    const back = given(() => says);
    const waiting = back.acquire(60_000);
    await back.clock.advanceAsync(10_000);
    says = had;
    await back.clock.advanceAsync(1_000);
    expect(await waiting).toEqual(had);
    const gone = given(() => away);
    const ended = gone.acquire(5_000);
    await gone.clock.advanceAsync(5_000);
    expect(await ended).toBe(away);
  });

  it('throws at once what will not change', async () => {
    const refused = new Fault('REQUEST_INVALID', 'no');
    expect(await given(() => refused).acquire(60_000)).toBe(refused);
  });

  it.each([
    ['was had', () => had],
    ['has no answer', () => away],
  ])('that is given up gives back what %s meanwhile', async (_, says) => {
    let answer: (reply: LockReply | Fault) => void = () => undefined;
    const { acquire, stop, asked, clock } = given(
      () =>
        new Promise((resolve, reject) => (answer = (said) => (said instanceof Fault ? reject(said) : resolve(said)))),
    );
    const waiting = acquire(60_000);
    await settled();
    stop.abort();
    answer(says());
    expect(await waiting).toEqual({ outcome: 'stopped' });
    expect([asked.at(-1), clock.pending]).toEqual(['store.release-lock@0', 0]);
  });
});

describe('a lock in doubt', () => {
  it('is given back when the wait is given up between two questions', async () => {
    const { acquire, stop, asked, clock } = given(() => away);
    const waiting = acquire(60_000);
    await settled();
    stop.abort();
    expect(await waiting).toEqual({ outcome: 'stopped' });
    expect([asked, clock.pending]).toEqual([['store.acquire-lock@0', 'store.release-lock@0'], 0]);
  });

  it('is given back with some patience, of a bounded number at a time, and never throws', async () => {
    const clock = new FakeClock();
    let asks = 0;
    const call = () => ((asks += 1), Promise.reject(away));
    const client = new LockClient({ call }, clock);
    const all = Promise.all(Array.from({ length: 300 }, () => client.giveBack(request)));
    await settled();
    expect([asks, clock.pending]).toEqual([256, 256]);
    await clock.advanceAsync(10_000);
    await all;
    expect([asks, clock.pending]).toEqual([256 * 11, 0]);
    void client.giveBack(request);
    expect(asks).toBe(256 * 11 + 1);
    await clock.advanceAsync(10_000);
  });
});

describe('the words for a lock that is held', () => {
  it('name the holder and the end', () => {
    const at = { ...held, expiresAt: 1_700_000_000_000, leftMs: 1_234 };
    expect(heldWords('stock', at)).toBe(
      'the lock stock is held by a client until 2023-11-14T22:13:20.000Z (1.3 s more) unless it is released or renewed',
    );
  });
});
