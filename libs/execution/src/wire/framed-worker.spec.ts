import { PassThrough } from 'node:stream';
import type { WorkSink } from '../ports/runtime.js';
import { WorkerGoneError } from '../ports/errors.js';
import { FakeProcess } from '../testing/fake-launch.js';
import { frame, jsonFrame, numberedFrame } from './frames.js';
import { FramedWorker } from './framed-worker.js';

const tool = Buffer.from('the text of a tool');
/** A worker whose answers a test writes; `given`: how often it got the tool. */
function worker(): {
  process: FakeProcess;
  worker: FramedWorker;
  answer: (...chunks: Buffer[]) => void;
  given: () => number;
} {
  const process = new FakeProcess();
  // What we write is not read back: only a test answers.
  const heard = new PassThrough();
  let given = 0;
  Object.assign(process.channel, { write: (chunk: Buffer) => ((given += Number(chunk.equals(tool))), true) });
  heard.on('data', (chunk: Buffer) => process.channel.emit('data', chunk));
  const furnished = {
    position: () => ({ item: undefined, counter: 0 }),
    confirm: () => undefined,
    cancel: () => undefined,
    close: async () => undefined,
  };
  const made = new FramedWorker(process, furnished, { modules: [] }, () => tool);
  return { process, worker: made, answer: (...chunks) => void heard.write(Buffer.concat(chunks)), given: () => given };
}
const range = { from: 0, to: 4 };
const mapWork = { kind: 'map' as const, part: '0-4', attempt: 1, range, buckets: 2, items: { base: 0 } };
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

  const pageOf = (items: number, lines: string | Buffer): Buffer[] => numberedFrame('O', items, Buffer.from(lines));
  it.each([
    ['of more items than lines', pageOf(3, '1\n2\n')],
    ['of fewer items than lines', pageOf(1, '1\n2\n')],
    ['without a last line end', pageOf(2, '1\n\n2')],
    ['of no items', pageOf(0, '')],
    ['that are not UTF-8', pageOf(1, Buffer.from([0x22, 0xff, 0x22, 0x0a]))],
    ['in buckets, of no items', frame('Q', Buffer.from([24, 0, 0, 0]), Buffer.from('{"items":0,"buckets":[]}'))],
  ])('ends the worker that tells results %s', async (_, chunks) => {
    const { worker: tampered, answer } = worker();
    answer(...jsonFrame('R', {}));
    await tampered.ready;
    const heard: unknown[] = [];
    const hear = (...told: unknown[]): void => void heard.push(told);
    const run = tampered.run(mapWork, { results: hear, pairs: hear } as unknown as WorkSink);
    answer(...chunks);
    answer(...jsonFrame('X', {}));
    const signal = expect.stringMatching(/^protocol fault: /) as unknown;
    expect([await run, heard]).toMatchObject([{ kind: 'gone', exit: { signal } }, []]);
  });

  it('ends the worker that does not read what it asks for', async () => {
    const { process, worker: tampered, answer } = worker();
    answer(...jsonFrame('R', {}));
    await tampered.ready;
    const run = tampered.run(mapWork, { lock: async () => ({ released: true }) } as unknown as WorkSink);
    Object.defineProperty(process.channel, 'writableLength', { value: 64 * 1024 * 1024 + 1 });
    answer(...jsonFrame('C', { id: 1, op: 'release', name: 'a' }));
    const signal = expect.stringMatching(/does not read/) as unknown;
    expect(await run).toMatchObject({ kind: 'gone', exit: { signal } });
    expect(process.signals).toEqual(['SIGKILL']);
  });

  it('gives each tool once, and only to a worker that is to answer', async () => {
    const asking = jsonFrame('T', { tool: 'acorn' });
    const once = worker();
    once.answer(...jsonFrame('R', {}));
    await once.worker.ready;
    const inspecting = once.worker.inspect(code);
    once.answer(...asking);
    once.answer(...jsonFrame('I', { functions: undefined }));
    await expect(inspecting).resolves.toEqual({});
    expect([once.given(), once.process.signals]).toEqual([1, []]);
    const loading = once.worker.load(script);
    once.answer(...asking);
    await expect(loading).rejects.toThrow(WorkerGoneError);
    expect([once.given(), once.process.signals]).toEqual([1, ['SIGKILL']]);

    const idle = worker();
    idle.answer(...jsonFrame('R', {}));
    await idle.worker.ready;
    idle.answer(...asking);
    await idle.process.exited;
    expect([idle.given(), idle.process.signals]).toEqual([0, ['SIGKILL']]);
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
