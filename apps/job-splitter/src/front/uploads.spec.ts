import { type ErrorCode, Fault, type JobRecord, type JobState, limits } from '@das/contracts';
import { specOf } from '@das/jobs/contract';
import { nodeId } from '@das/kernel';
import { MemoryHub, ServiceBusOver } from '@das/messaging';
import type { ServiceContext } from '@das/platform';
import { FakeClock } from '@das/testing';
import { type StandInJob, StandInStore, inputOf } from '../testing/stand-in-store.js';
import type { Block } from './block-builder.js';
import { cutUpload } from './blocks.js';
import { frontLimits } from './config.js';
import { Creation } from './creation.js';
import { FrontStore } from './front-store.js';
import { RunningUploads } from './running-uploads.js';
import { Uploads } from './uploads.js';

const minuteMs = 60_000;
const codeText = 'def map(item): return item\n';
const rangeJob = () => ({ spec: specOf(), codeText });
const uploadJob = () => ({ spec: specOf({ input: { kind: 'blocks' } }), codeText });
const block = (no: number): Block => ({ no, from: no, to: no + 1, bytes: new TextEncoder().encode(`${no}\n`) });

/** On virtual time: how long the front door is patient with the store, and the store with it. */
describe('storing new jobs', () => {
  let clock: FakeClock;
  let store: StandInStore;
  let uploads: Uploads;
  let close: () => Promise<unknown>;

  beforeEach(async () => {
    clock = new FakeClock();
    const hub = new MemoryHub(clock);
    let ids = 0;
    const busOf = (service: string) =>
      new ServiceBusOver(hub.connect(), { node: nodeId('node-1'), service }, clock, () => `id-${(ids += 1)}`);
    const [bus, theirs] = [busOf('job-splitter'), busOf('results-store')];
    store = await new StandInStore(theirs).start();
    const context = { clock, bus, log: { warn: () => undefined } } as unknown as ServiceContext;
    const [front, running] = [new FrontStore(context), new RunningUploads(context)];
    uploads = new Uploads(context, front, new Creation(context, front, running), running);
    close = () => Promise.all([bus.close(), theirs.close()]);
  });
  afterEach(() => close());

  const away = (code: ErrorCode = 'STORE_UNAVAILABLE') => new Fault(code, 'no connection to Postgres');
  const wait = (ms: number): Promise<void> => new Promise((resolve) => void clock.timer(ms, resolve));
  /** A store that is away from now on, for `ms`. */
  const awayFor = (ms: number): void => {
    store.fault = away();
    clock.timer(ms, () => (store.fault = undefined));
  };

  /** How it ends, and after how long (ms); time passes until then. */
  async function outcome(submitted: Promise<JobRecord>): Promise<{ state?: string; code?: string; ms: number }> {
    const from = clock.monotonic();
    let ended: { state?: string; code?: string; message?: string; ms: number } | undefined;
    const at = () => clock.monotonic() - from;
    submitted.then(
      ({ state }) => (ended = { state, ms: at() }),
      ({ code, message }: Fault) => (ended = { code, message, ms: at() }),
    );
    for (let steps = 0; ended === undefined && steps < 20_000; steps += 1) await clock.advanceAsync(100);
    return ended ?? { code: 'NO_END', ms: at() };
  }

  async function* blocks(pauseMs = 0): AsyncGenerator<Block[]> {
    for (let no = 0; no < 4; no += 1) {
      if (no === 3) await wait(pauseMs);
      yield [block(no)];
    }
  }
  const fullLine = JSON.stringify('y'.repeat(limits.blockBytes - 3));
  /** Two items of a block each, then one that takes its time. */
  async function* drip(bytes: number, everyMs: number): AsyncGenerator<Uint8Array> {
    const encoder = new TextEncoder();
    yield encoder.encode(`${fullLine}\n${fullLine}\n`);
    for (const letter of `"${'x'.repeat(bytes - 2)}"`) {
      await wait(everyMs);
      yield encoder.encode(letter);
    }
  }
  const textOf = (record: { spec: { job: string } }): string => inputOf(store.job(record.spec.job));

  it.each([
    ['a range', rangeJob, (job: ReturnType<typeof rangeJob>) => uploads.createPlain(job, 10)],
    ['one block', uploadJob, (job: ReturnType<typeof uploadJob>) => uploads.createWithBlocks(job, [[block(0)]])],
    ['an upload', uploadJob, (job: ReturnType<typeof uploadJob>) => uploads.createWithBlocks(job, blocks())],
  ])(
    'finds %s accepted when the answer was lost and the store was away for a while afterwards',
    async (_, of, send) => {
      store.onSealed = () => {
        store.onSealed = () => undefined;
        store.answersLost = true;
        awayFor(5_000);
      };
      const job = of();
      expect(await outcome(send(job))).toMatchObject({ state: 'running' });
      expect([store.jobs.size, store.abandoned]).toEqual([1, []]);
    },
  );

  describe('an upload whose job ended before its seal was asked for again', () => {
    const upload = (ended: JobState, of: (job: StandInJob) => void) => {
      store.onSealed = (job) => {
        of(job);
        store.answersLost = true;
        awayFor(5_000);
        clock.timer(4_000, () => {
          store.answersLost = false;
          store.end(job, ended, { silently: true });
        });
      };
      return outcome(uploads.createWithBlocks(uploadJob(), blocks()));
    };

    it.each(['succeeded', 'failed'] as const)('was accepted, when it %s', async (state) => {
      expect(await upload(state, () => undefined)).toMatchObject({ state });
      expect(store.abandoned).toEqual([]);
    });

    it.each([true, false])('was not, when it was cancelled (all its items stored: %s)', async (sealed) => {
      const of = (job: StandInJob) => void (job.record = { ...job.record, sealed });
      expect(await upload('cancelled', of)).toMatchObject({ code: 'JOB_ENDED' });
    });
  });

  it('goes on with an upload when the store comes back, each block stored once and in order', async () => {
    let appended = 0;
    store.onAppended = () => {
      appended += 1;
      if (appended === 2) awayFor(30_000);
    };
    const job = uploadJob();
    expect(await outcome(uploads.createWithBlocks(job, blocks()))).toMatchObject({ state: 'running' });
    expect(textOf(job)).toBe('0\n1\n2\n3\n');
  });

  it('gives a submission up after the time that a restart of the store takes', async () => {
    store.fault = away();
    const { code, ms } = await outcome(uploads.createPlain(rangeJob(), 10));
    expect(code).toBe('STORE_UNAVAILABLE');
    expect(ms).toBeGreaterThanOrEqual(frontLimits.storeTimeoutMs);
    expect(ms).toBeLessThan(frontLimits.storeTimeoutMs + 1_000);
    expect(store.gets).toBeLessThan(40);
  });

  it('gives an upload up after a longer time, and abandons its job', async () => {
    store.onAppended = () => (store.fault = away());
    const { code, ms } = await outcome(uploads.createWithBlocks(uploadJob(), blocks()));
    expect(code).toBe('STORE_UNAVAILABLE');
    expect(ms).toBeGreaterThanOrEqual(frontLimits.storeAwayMaxMs);
    expect(ms).toBeLessThan(frontLimits.storeAwayMaxMs + 1_000);
    expect(store.abandoned).toHaveLength(1);
  });

  it('does not wait for what will not change', async () => {
    store.fault = away('REQUEST_INVALID');
    expect(await outcome(uploads.createPlain(rangeJob(), 10))).toMatchObject({ code: 'REQUEST_INVALID', ms: 0 });
    expect(store.gets).toBe(0);
  });

  describe('an upload that pauses', () => {
    /** As the store does it once a minute. */
    beforeEach(() => {
      let touched = 0;
      store.onAppended = () => (touched = clock.monotonic());
      clock.every(minuteMs, () => {
        if (clock.monotonic() - touched > limits.uploadIdleMs) store.jobs.clear();
      });
    });

    it('for less than ten minutes goes on', async () => {
      const job = uploadJob();
      const { state, ms } = await outcome(uploads.createWithBlocks(job, blocks(9 * minuteMs)));
      expect([state, textOf(job)]).toEqual(['running', '0\n1\n2\n3\n']);
      expect(ms).toBeGreaterThanOrEqual(9 * minuteMs);
    });

    it('never, and is only slow, goes on, with a word to the store once a minute', async () => {
      let appended = 0;
      const { onAppended } = store;
      store.onAppended = () => {
        appended += 1;
        onAppended();
      };
      const job = uploadJob();
      const submitted = uploads.createWithBlocks(job, cutUpload('ndjson', drip(60, minuteMs / 2)));
      expect(await outcome(submitted)).toMatchObject({ state: 'running', ms: 30 * minuteMs });
      expect(textOf(job)).toBe(`${fullLine}\n${fullLine}\n"${'x'.repeat(58)}"\n`);
      expect(appended).toBe(3 + 30);
    });

    it('for longer is told that its job was dropped', async () => {
      expect(await outcome(uploads.createWithBlocks(uploadJob(), blocks(12 * minuteMs)))).toMatchObject({
        code: 'JOB_ENDED',
        message: 'the upload paused for more than 10 minutes, so its job was dropped',
      });
    });
  });
});
