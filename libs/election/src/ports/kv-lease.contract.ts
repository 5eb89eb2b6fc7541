import type { KvLease } from './kv-lease.js';

/** Every adapter of {@link KvLease} passes this. `start` gives a new, empty bucket, and another user of the same. */
export function kvLeaseContract(name: string, start: () => Promise<{ kv: KvLease; other: KvLease }>): void {
  describe(`KvLease contract: ${name}`, () => {
    let kv: KvLease;
    let other: KvLease;
    beforeEach(async () => ({ kv, other } = await start()));
    afterEach(async () => {
      await Promise.all([kv.close(), other.close()]);
    });

    it('has nothing at first, then what was written, for everyone', async () => {
      expect(await kv.get('record')).toBeUndefined();
      const rev = await kv.create('record', 'one');
      expect(await other.get('record')).toEqual({ value: 'one', rev });
      expect(await kv.get('counter')).toBeUndefined();
    });

    it('creates once, however many try', async () => {
      const tries = Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? kv : other).create('record', `v${i}`));
      const outcomes = await Promise.all(tries);
      expect(outcomes.filter((outcome) => outcome !== 'conflict')).toHaveLength(1);
    });

    it('updates only what its writer has seen', async () => {
      const first = (await kv.create('record', 'one')) as number;
      const second = (await kv.update('record', 'two', first)) as number;
      expect(second).toBeGreaterThan(first);
      expect(await other.update('record', 'late', first)).toBe('conflict');
      expect(await other.get('record')).toEqual({ value: 'two', rev: second });
    });

    it('keeps the revisions of its keys apart', async () => {
      const record = (await kv.create('record', 'one')) as number;
      const counter = (await kv.create('counter', '1')) as number;
      expect(counter).toBeGreaterThan(record);
      expect(await kv.update('record', 'two', record)).toBeGreaterThan(counter);
    });

    it('lets one of many updates of one revision win', async () => {
      const rev = (await kv.create('counter', '0')) as number;
      const tries = Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? kv : other).update('counter', String(i), rev));
      const outcomes = await Promise.all(tries);
      expect(outcomes.filter((outcome) => outcome !== 'conflict')).toHaveLength(1);
    });

    it('tells who watches, until cancelled', async () => {
      let told = 0;
      let wake: () => void = () => undefined;
      const next = (): Promise<void> => new Promise((resolve) => (wake = resolve));
      const cancel = other.watch(() => {
        told += 1;
        wake();
      });
      const heard = next();
      // A watch may take effect a little later: written until it is heard.
      let rev = (await kv.create('record', 'one')) as number;
      const writing = (async () => {
        while (told === 0) rev = (await kv.update('record', 'again', rev)) as number;
      })();
      await heard;
      await writing;
      cancel();
      const before = told;
      await kv.update('record', 'unheard', rev);
      expect(told).toBe(before);
    });
  });
}
