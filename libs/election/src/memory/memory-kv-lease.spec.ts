import type { LeaseRecord } from '../core/lease/types.js';
import { askKv } from '../ports/kv-lease.js';
import { kvLeaseContract } from '../ports/kv-lease.contract.js';
import { MemoryBucket, MemoryKvLease } from './memory-kv-lease.js';

kvLeaseContract('memory', async () => {
  const bucket = new MemoryBucket();
  return { kv: new MemoryKvLease(bucket), other: new MemoryKvLease(bucket) };
});

describe('asking the bucket', () => {
  const record: LeaseRecord = { leader: 'a' as LeaseRecord['leader'], nonce: 'a1', round: 3, n: 7, state: 'held' };

  it('reads back what it wrote', async () => {
    const kv = new MemoryKvLease();
    expect(await askKv(kv, { op: 'readRecord' })).toEqual({ kind: 'record', entry: undefined });
    expect(await askKv(kv, { op: 'writeRecord', record, rev: 0 })).toEqual({ kind: 'written', rev: 1 });
    expect(await askKv(kv, { op: 'readRecord' })).toEqual({ kind: 'record', entry: { record, rev: 1 } });
    expect(await askKv(kv, { op: 'writeCounter', round: 4, rev: 0 })).toEqual({ kind: 'written', rev: 2 });
    expect(await askKv(kv, { op: 'readCounter' })).toEqual({ kind: 'counter', entry: { round: 4, rev: 2 } });
    expect(await askKv(kv, { op: 'writeCounter', round: 5, rev: 1 })).toEqual({ kind: 'conflict' });
  });

  it.each(['{', '{"leader":1}', '{"leader":"a","nonce":"x","round":-1,"n":0,"state":"held"}'])(
    'takes what is no record for a failure: %s',
    async (value) => {
      const kv = new MemoryKvLease();
      await kv.create('record', value);
      await kv.create('counter', 'many');
      expect(await askKv(kv, { op: 'readRecord' })).toEqual({ kind: 'failed' });
      expect(await askKv(kv, { op: 'readCounter' })).toEqual({ kind: 'failed' });
    },
  );

  it('takes a bucket that is away for a failure', async () => {
    const bucket = new MemoryBucket();
    bucket.away = true;
    expect(await askKv(new MemoryKvLease(bucket), { op: 'writeRecord', record, rev: 0 })).toEqual({ kind: 'failed' });
  });
});
