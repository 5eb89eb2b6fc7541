import { Fault } from '@das/contracts';
import { jobId } from '@das/kernel';
import { type NatsServer, startNatsServer } from '@das/supervisor';
import { SystemClock } from '@das/platform';
import { natsServer } from '@das/testing';
import { jetstreamManager } from '@nats-io/jetstream';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventLogContract, follower } from '../ports/event-log.contract.js';
import { messageBusContract } from '../ports/message-bus.contract.js';
import { connectNats } from './connect.js';
import { JetStreamEventLog } from './jetstream-event-log.js';
import type { NatsMessageBus } from './nats-message-bus.js';

const server = natsServer();
const connect = (to: NatsServer = server()): Promise<NatsMessageBus> =>
  connectNats({ url: to.url, token: to.token, name: 'test' });

messageBusContract('nats', async () => ({
  connect,
  stopServer: () => server().kill(),
  startServer: () => server().restart(),
}));

describe('connectNats', () => {
  it('is refused without the token', async () => {
    await expect(connectNats({ url: server().url, name: 'test' })).rejects.toThrow(/authorization/i);
    await expect(connectNats({ url: server().url, name: 'test', token: 'wrong' })).rejects.toThrow(/authorization/i);
  });
});

describe('JetStreamEventLog', () => {
  const open: NatsMessageBus[] = [];
  const openLog = async (to?: NatsServer): Promise<JetStreamEventLog> => {
    const bus = await connect(to);
    open.push(bus);
    return JetStreamEventLog.open(bus.connection, new SystemClock());
  };
  afterEach(async () => {
    await Promise.all(open.splice(0).map((bus) => bus.close()));
  });

  eventLogContract('jetstream', openLog);

  it('keeps events and followers over a restart of the server', async () => {
    const log = await openLog();
    const job = jobId('restart');
    const note = (message: string) => ({ event: 'note' as const, job, at: 1, message });
    await log.append(note('before'));
    const seen = follower();
    await log.follow(job, { after: 0 }, seen.listener);
    await seen.until(1);
    const up = new Promise<void>((resolve) => open[0]?.onConnection((connected) => connected && resolve()));
    await server().restart();
    await up;
    await log.append(note('after'));
    expect((await seen.until(2)).map(({ event }) => event.event === 'note' && event.message)).toEqual([
      'before',
      'after',
    ]);
    await log.close();
  }, 30_000);

  it('bounds the stream in age, bytes, events per subject and memory of dedupe ids, in files', async () => {
    await openLog();
    const manager = await jetstreamManager((await connectAndKeep()).connection);
    expect((await manager.streams.info('das-events')).config).toMatchObject({
      subjects: ['das.v1.events.>'],
      storage: 'file',
      discard: 'old',
      max_age: 24 * 3600 * 1e9,
      max_bytes: 2 ** 30,
      max_msgs_per_subject: 4096,
      duplicate_window: 120e9,
    });
  });

  it('brings an older stream to this configuration', async () => {
    const manager = await jetstreamManager((await connectAndKeep()).connection);
    await manager.streams.update('das-events', { max_msgs_per_subject: 10 });
    await openLog();
    expect((await manager.streams.info('das-events')).config.max_msgs_per_subject).toBe(4096);
  });

  it('leaves out what is no event', async () => {
    const log = await openLog();
    const bus = await connectAndKeep();
    for (const text of ['not JSON', '{"event":"note"}']) {
      await bus.connection.request('das.v1.events.junk.note', text, { timeout: 5_000 });
    }
    await log.append({ event: 'note', job: jobId('junk'), at: 1, message: 'real' });
    expect(await log.read(jobId('junk'), { after: 0, limit: 10 })).toHaveLength(1);
  });

  it('says what is missing on a server without JetStream', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'das-nats-'));
    const bare = await startNatsServer({ dir, jetstream: false });
    try {
      const failed = await openLog(bare).catch((error: unknown) => error);
      expect(failed).toBeInstanceOf(Fault);
      expect(failed).toMatchObject({ code: 'BUS_UNAVAILABLE', hint: expect.stringContaining('JetStream') as string });
    } finally {
      await bare.stop();
      await rm(dir, { recursive: true });
    }
  });

  async function connectAndKeep(): Promise<NatsMessageBus> {
    const bus = await connect();
    open.push(bus);
    return bus;
  }
});
