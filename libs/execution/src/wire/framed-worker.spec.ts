import { PassThrough } from 'node:stream';
import type { WorkSink } from '../ports/runtime.js';
import { WorkerGoneError } from '../ports/errors.js';
import { FakeProcess } from '../testing/fake-launch.js';
import { frame, jsonFrame } from './frames.js';
import { FramedWorker } from './framed-worker.js';

/** A worker whose answers a test writes. */
function worker(): { process: FakeProcess; worker: FramedWorker; answer: (...chunks: Buffer[]) => void } {
  const process = new FakeProcess();
  // What we write is not read back: only a test answers.
  const heard = new PassThrough();
  Object.assign(process.channel, { write: () => true });
  heard.on('data', (chunk: Buffer) => process.channel.emit('data', chunk));
  const furnished = {
    position: () => ({ item: undefined, counter: 0 }),
    confirm: () => undefined,
    cancel: () => undefined,
    close: async () => undefined,
  };
  const made = new FramedWorker(process, furnished, { modules: [] });
  return { process, worker: made, answer: (...chunks) => void heard.write(Buffer.concat(chunks)) };
}
const code = { language: 'python', filename: 'job.py', text: '' } as const;
const script = { ...code, job: 'j', node: 'n', params: {} };

describe('an answer that a script has tampered with', () => {
  const junk = {
    'is no JSON': frame('L', Buffer.from('hello')),
    'has other fields': jsonFrame('L', { fault: 1 }),
    'is of another type': jsonFrame('X', { failure: null }),
    'is no frame': [Buffer.alloc(9, 0xff)],
  };

  it.each(Object.entries(junk))('ends the worker when it %s', async (_, chunks) => {
    const { process, worker: tampered, answer } = worker();
    answer(...jsonFrame('R', {}));
    await tampered.ready;
    const loading = tampered.load(script);
    answer(...chunks);
    await expect(loading).rejects.toThrow(WorkerGoneError);
    await expect(loading).rejects.toMatchObject({ exit: { signal: expect.stringMatching(/^protocol fault: /) } });
    expect(process.signals).toContain('SIGKILL');
  });

  it.each([
    ['is no JSON', frame('C', Buffer.from('lock'))],
    ['asks for a name that is none', jsonFrame('C', { id: 1, op: 'release', name: 'a b' })],
    ['waits for ever', jsonFrame('C', { id: 1, op: 'acquire', name: 'a', limitMs: 1_000, waitMs: 1e12 })],
    ['asks without end', Array.from({ length: 129 }, () => jsonFrame('C', { id: 1, op: 'release', name: 'a' })).flat()],
  ])('ends the worker when a question about a lock %s', async (_, chunks) => {
    const { worker: tampered, answer } = worker();
    answer(...jsonFrame('R', {}));
    await tampered.ready;
    const work = { kind: 'main' as const, part: 'main:0-1', attempt: 1, range: { from: 0, to: 1 } };
    const run = tampered.run(work, { lock: () => new Promise(() => undefined) } as unknown as WorkSink);
    answer(...chunks);
    const signal = expect.stringMatching(/^protocol fault: /) as unknown;
    expect(await run).toMatchObject({ kind: 'gone', exit: { signal } });
  });

  it('ends the worker that inspects, too', async () => {
    const { process, worker: tampered, answer } = worker();
    answer(...jsonFrame('R', {}));
    await tampered.ready;
    const inspecting = tampered.inspect(code);
    answer(...frame('I', Buffer.from('{"functions":7}')));
    await expect(inspecting).rejects.toThrow(WorkerGoneError);
    expect(process.signals).toEqual(['SIGKILL']);
  });
});
