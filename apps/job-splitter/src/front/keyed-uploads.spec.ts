import { type JobRecord, Fault, type Submission, jobsUploading, limits, submissionSchema } from '@das/contracts';
import { specOf } from '@das/jobs/contract';
import { type JobId, type NodeId, nodeId } from '@das/kernel';
import { MemoryHub, ServiceBusOver } from '@das/messaging';
import type { ServiceContext } from '@das/platform';
import { FakeClock } from '@das/testing';
import { StandInStore, inputOf } from '../testing/stand-in-store.js';
import type { Block } from './block-builder.js';
import { cutUpload } from './blocks.js';
import { frontLimits } from './config.js';
import { Creation, type NewJob } from './creation.js';
import { FrontStore } from './front-store.js';
import { RunningUploads } from './running-uploads.js';
import { KeyedBody } from './submission-key.js';
import { Uploads } from './uploads.js';

const codeText = 'def map(item): return item\n';
const block = (no: number, text = `${no}\n`): Block => ({
  no,
  from: no,
  to: no + 1,
  bytes: new TextEncoder().encode(text),
});
const submission = (more: object = {}): Submission => submissionSchema.parse({ code: { text: codeText }, ...more });
const node1 = nodeId('node-1');
const node2 = nodeId('node-2');

interface Door {
  readonly uploads: Uploads;
  /** The node dies: its connection, and with it all answers. */
  readonly die: () => Promise<void>;
}

/** Two front doors on virtual time, before one store. */
describe('submissions with the same key', () => {
  let clock: FakeClock;
  let hub: MemoryHub;
  let store: StandInStore;
  let closing: (() => Promise<void>)[];
  let doors: Record<'a' | 'b', Door>;

  beforeEach(async () => {
    [clock, closing] = [new FakeClock(), []];
    hub = new MemoryHub(clock);
    store = await new StandInStore(busOf(node1, 'results-store')).start();
    doors = { a: await doorOf(node1), b: await doorOf(node2) };
  });
  afterEach(() => Promise.all(closing.map((close) => close())));

  let ids = 0;
  const busOf = (node: NodeId, service: string): ServiceBusOver => {
    const bus = new ServiceBusOver(hub.connect(), { node, service }, clock, () => `id-${(ids += 1)}`);
    closing.push(() => bus.close());
    return bus;
  };
  async function doorOf(node: NodeId): Promise<Door> {
    const bus = busOf(node, 'job-splitter');
    const context = { clock, bus, node, log: { warn: () => undefined } } as unknown as ServiceContext;
    const [front, running] = [new FrontStore(context), new RunningUploads(context)];
    await bus.answer(jobsUploading, async ({ job }) => ({ uploading: running.has(job) }));
    return {
      uploads: new Uploads(context, front, new Creation(context, front, running), running),
      die: () => bus.close(),
    };
  }

  const keyed = (contact: NodeId, more: object = {}): NewJob => ({
    ...{ spec: specOf({ contact, input: { kind: 'blocks' } }), codeText },
    keyed: new KeyedBody('k', submission({ input: { format: 'ndjson' }, ...more })),
  });
  const wait = (ms: number): Promise<void> => new Promise((resolve) => void clock.timer(ms, resolve));
  async function* slowly(blocks: readonly Block[], pauseMs: number): AsyncGenerator<Block[]> {
    for (const one of blocks) {
      yield [one];
      await wait(pauseMs);
    }
  }
  /** How it ends; time passes until then. */
  async function outcome(asked: Promise<JobRecord>): Promise<{ job?: string; code?: string }> {
    let ended: { job?: string; code?: string } | undefined;
    asked.then(
      ({ spec: { job } }) => (ended = { job }),
      ({ code }: Fault) => (ended = { code }),
    );
    for (let steps = 0; ended === undefined && steps < 2_000; steps += 1) await clock.advanceAsync(100);
    return ended ?? { code: 'NO_END' };
  }
  const four = [0, 1, 2, 3].map((no) => block(no));
  const second = 1_000;
  const minuteMs = 60_000;

  it.each([
    ['one block', [block(0)], [block(0)]],
    ['several blocks', four, four],
    ['items that came in other blocks', four, [block(0, '0\n1\n'), block(1, '2\n3\n')]],
  ])('over two nodes are one job: %s', async (_, first, again) => {
    const job = keyed(node1);
    expect(await outcome(doors.a.uploads.createWithBlocks(job, [first]))).toEqual({ job: job.spec.job });
    expect(await outcome(doors.b.uploads.createWithBlocks(keyed(node2), [again]))).toEqual({ job: job.spec.job });
    expect(store.jobs.size).toBe(1);
    expect(inputOf(store.job(job.spec.job))).toBe(first.map(({ no }) => `${no}\n`).join(''));
  });

  it.each([
    ['of other items', {}, [...four.slice(0, 3), block(3, '4\n')]],
    ['of fewer items', {}, four.slice(0, 2)],
    ['of another spec', { retries: 7 }, four],
    ['of another script', { code: { text: `${codeText}#` } }, four],
  ])('are refused when the second is %s', async (_, more, blocks) => {
    await outcome(doors.a.uploads.createWithBlocks(keyed(node1), [four]));
    const refused = outcome(doors.b.uploads.createWithBlocks(keyed(node2, more), [blocks]));
    expect(await refused).toEqual({ code: 'IDEMPOTENCY_KEY_REUSED' });
    expect(store.jobs.size).toBe(1);
  });

  it('make the second wait while the first is still being uploaded, be it slow', async () => {
    const job = keyed(node1);
    const first = doors.a.uploads.createWithBlocks(job, slowly(four.slice(0, 1), 60 * second));
    await clock.advanceAsync(frontLimits.keyReserveMs);
    for (const blocks of [[four], four.map((one) => [one])])
      expect(await outcome(doors.b.uploads.createWithBlocks(keyed(node2), blocks))).toEqual({
        code: 'IDEMPOTENCY_KEY_IN_USE',
      });
    expect(await outcome(first)).toEqual({ job: job.spec.job });
    expect([store.jobs.size, store.abandoned.filter((id) => id === job.spec.job)]).toEqual([1, []]);
  });

  it.each([
    ['with no block for long', 100, 20],
    ['with one block for long', limits.blockBytes + 100, 20],
  ])('keep their job while the first comes slowly, %s', async (_, firstBytes, lines) => {
    const touched = new Map<JobId, number>();
    store.onTouched = (id) => void touched.set(id, clock.monotonic());
    // As the store does it once a minute.
    clock.every(minuteMs, () => {
      for (const id of store.jobs.keys())
        if (clock.monotonic() - (touched.get(id) ?? 0) > limits.uploadIdleMs) store.jobs.delete(id);
    });
    const text = [`"${'x'.repeat(firstBytes)}"\n`, ...Array.from({ length: lines }, (__, no) => `${no}\n`)];
    async function* producer(): AsyncGenerator<Uint8Array> {
      for (const line of text) {
        yield new TextEncoder().encode(line);
        await wait(minuteMs);
      }
    }
    const job = keyed(node1);
    let ended: unknown;
    doors.a.uploads.createWithBlocks(job, cutUpload('ndjson', producer())).then(
      ({ state }) => (ended = state),
      (error: unknown) => (ended = error),
    );
    for (let steps = 0; ended === undefined && steps < 2 * lines; steps += 1) await clock.advanceAsync(minuteMs);
    expect([ended, inputOf(store.job(job.spec.job))]).toEqual(['running', text.join('')]);
  });

  it('are told so before the second is there whole', async () => {
    const first = doors.a.uploads.createWithBlocks(keyed(node1), slowly(four, 60 * second));
    await clock.advanceAsync(2 * frontLimits.keyReserveMs);
    const from = clock.monotonic();
    const later = doors.b.uploads.createWithBlocks(keyed(node2), slowly(four, second));
    expect(await outcome(later)).toEqual({ code: 'IDEMPOTENCY_KEY_IN_USE' });
    expect(clock.monotonic() - from).toBeLessThan(3 * second);
    await outcome(first);
  });

  it('are free again when the first broke off', async () => {
    async function* breaks(): AsyncGenerator<Block[]> {
      yield [block(0)];
      await wait(second);
      throw new Fault('REQUEST_INVALID', 'the connection was closed');
    }
    expect(await outcome(doors.a.uploads.createWithBlocks(keyed(node1), breaks()))).toEqual({
      code: 'REQUEST_INVALID',
    });
    const job = keyed(node2);
    expect(await outcome(doors.b.uploads.createWithBlocks(job, [four]))).toEqual({ job: job.spec.job });
    expect([...store.jobs.keys()]).toEqual([job.spec.job]);
  });

  it('are free again when the node of the first died in mid-upload', async () => {
    const lost = keyed(node1);
    const first = doors.a.uploads.createWithBlocks(lost, slowly(four, 60 * second));
    first.catch(() => undefined);
    await clock.advanceAsync(2 * frontLimits.keyReserveMs);
    await doors.a.die();
    const job = keyed(node2);
    expect(await outcome(doors.b.uploads.createWithBlocks(job, [four]))).toEqual({ job: job.spec.job });
    expect([[...store.jobs.keys()], store.abandoned[0]]).toEqual([[job.spec.job], lost.spec.job]);
  });

  it('are one job when the answer to the first was lost', async () => {
    const job = keyed(node1);
    store.onSealed = () => {
      store.onSealed = () => undefined;
      store.answersLost = true;
      void doors.a.die();
    };
    const first = doors.a.uploads.createWithBlocks(job, [four]);
    first.catch(() => undefined);
    await clock.advanceAsync(second);
    store.answersLost = false;
    expect(await outcome(doors.b.uploads.createWithBlocks(keyed(node2), [four]))).toEqual({ job: job.spec.job });
    expect(store.jobs.size).toBe(1);
  });
});
