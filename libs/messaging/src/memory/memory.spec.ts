import { eventLogContract } from '../ports/event-log.contract.js';
import { messageBusContract } from '../ports/message-bus.contract.js';
import { MemoryEventLog, eventsPerSubjectMax } from './event-log.js';
import { MemoryHub } from './hub.js';
import { jobId } from '@das/kernel';
import { SystemClock } from '@das/platform';

messageBusContract('memory', async () => {
  const hub = new MemoryHub(new SystemClock());
  return {
    connect: async () => hub.connect(),
    stopServer: async () => hub.stop(),
    startServer: async () => hub.start(),
  };
});

eventLogContract('memory', async () => new MemoryEventLog());

describe('MemoryEventLog', () => {
  it('drops the oldest of a subject beyond its bound', async () => {
    const log = new MemoryEventLog();
    const job = jobId('j');
    for (let n = 0; n <= eventsPerSubjectMax; n += 1) await log.append({ event: 'note', job, at: n, message: '' });
    await log.append({ event: 'state', job, at: 0, state: 'running', generation: 1 });
    const kept = await log.read(job, { after: 0, limit: 10_000 });
    expect(kept).toHaveLength(eventsPerSubjectMax + 1);
    expect(kept[0]?.event.at).toBe(1);
  });
});

describe('MemoryHub', () => {
  it('gives receivers a copy, so that the sender may reuse its buffer', async () => {
    const hub = new MemoryHub(new SystemClock());
    const [sender, hearer] = [hub.connect(), hub.connect()];
    const received = new Promise<Uint8Array>((resolve) => {
      void hearer.subscribe('a', {}, async (message) => {
        resolve(message.payload);
        return undefined;
      });
    });
    const buffer = Buffer.from('one');
    await sender.publish({ subject: 'a', envelope: {}, payload: buffer });
    buffer.write('two');
    expect(Buffer.from(await received).toString()).toBe('one');
  });
});
