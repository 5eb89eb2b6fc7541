import { connectNats } from '@das/messaging';
import { natsServer } from '@das/testing';
import { kvLeaseContract } from '../ports/kv-lease.contract.js';
import { JetStreamKvLease } from './jetstream-kv-lease.js';

describe('a bucket of a real server', () => {
  const nats = natsServer();
  let bus: Awaited<ReturnType<typeof connectNats>>;
  let buckets = 0;
  beforeAll(async () => {
    bus = await connectNats({ url: nats().url, token: nats().token, name: 'test' });
  });
  afterAll(() => bus.close());

  async function open(bucket = `t${(buckets += 1)}`): Promise<JetStreamKvLease> {
    const kv = new JetStreamKvLease(bus.connection, bucket);
    // The first to look makes the bucket, and says that it could not look.
    await kv.get('record').catch(() => undefined);
    return kv;
  }

  kvLeaseContract('JetStream', async () => {
    const kv = await open();
    return { kv, other: await open(`t${buckets}`) };
  });

  it('finds everything again after the server was restarted, with revisions that go on', async () => {
    const kv = await open();
    const before = (await kv.create('counter', '5')) as number;
    await nats().restart();
    let found: unknown;
    while (found === undefined) found = await kv.get('counter').catch(() => undefined);
    expect(found).toEqual({ value: '5', rev: before });
    expect(await kv.update('counter', '6', before)).toBeGreaterThan(before);
  });
});
