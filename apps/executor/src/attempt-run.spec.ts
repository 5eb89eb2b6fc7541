import { type Assignment, type JobSpec, type PartKind, commitPart, jobLimitsSchema } from '@das/contracts';
import { type LogListener, type PooledWorker, type RunEnd, placeLimitsDefault } from '@das/execution';
import { type PartId, jobId, nodeId } from '@das/kernel';
import { type EventLog, MemoryEventLog } from '@das/messaging';
import type { Logger } from '@das/platform';
import { FakeClock, settled } from '@das/testing';
import { AttemptRun } from './attempt-run.js';
import type { AttemptTools } from './attempt-tools.js';
import type { Commit } from './commit.js';
import { HoldLedger } from './hold-ledger.js';
import { JobLogs, endMs } from './job-logs.js';
import { StoppedError } from './store-client.js';

const quiet = (): void => undefined;
const log: Logger = { debug: quiet, info: quiet, warn: quiet, error: quiet };
const node = nodeId('node-1');
const job = jobId('j');

/** A worker whose script prints a line and is done. */
function printing(): PooledWorker {
  let listener: LogListener | undefined;
  const worker: Partial<PooledWorker> = {
    loaded: true,
    kill: quiet,
    struck: async () => ({ memory: false, processes: false }),
    set onPrint(heard: LogListener | undefined) {
      listener = heard;
    },
    runtime: {
      ready: Promise.resolve(),
      waitsForUs: false,
      position: () => ({ item: 0, counter: 0 }),
      confirm: quiet,
      cancel: quiet,
      inspect: async () => ({}),
      load: async () => undefined,
      run: async () => {
        listener?.('stdout', 'hello\n');
        return { kind: 'ended', items: 0 };
      },
    },
    process: { pid: 1 } as PooledWorker['process'],
  };
  return worker as PooledWorker;
}

/** A worker whose script never says anything again; it is gone when it is killed. */
function silent(killed: () => void): PooledWorker {
  let gone: (end: RunEnd) => void = quiet;
  const worker = printing();
  const end = () => gone({ kind: 'gone', exit: { code: null, signal: 'SIGTERM' } });
  worker.kill = () => {
    killed();
    end();
  };
  worker.cancel = async () => end();
  worker.runtime.run = () => new Promise<RunEnd>((resolve) => (gone = resolve));
  return worker;
}

/** A store for which every attempt is live. */
const confirming = { ask: async () => ({ body: { outcome: 'staged' }, raw: new Uint8Array() }) };

function toolsWith(clock: FakeClock, worker: PooledWorker, more: Partial<AttemptTools> = {}): AttemptTools {
  return {
    ...{
      node,
      clock,
      newId: () => 'run-1',
      limits: placeLimitsDefault,
      code: { ensure: async () => undefined, take: async () => ({ text: '', release: quiet }) },
      store: confirming,
    },
    pools: { acquire: async () => worker, release: quiet },
    ledger: new HoldLedger(1, quiet),
    logs: new JobLogs(new MemoryEventLog(), clock, log, 'epoch'),
    ...more,
  } as unknown as AttemptTools;
}

const specOf = (timeoutMs?: number): JobSpec =>
  ({
    ...{ job, code: 'c', filename: 'job.py', params: {}, input: { kind: 'none' } },
    ...{ functions: {}, limits: jobLimitsSchema.parse({ timeoutMs }) },
  }) as unknown as JobSpec;

const partOf = (kind: PartKind): Assignment => ({
  ...{ job, generation: 1, part: `${kind}:0-1` as PartId, attempt: 1, kind, from: 0, to: 1, tries: 0 },
  ...(kind === 'hook' ? { decision: { id: 'j-succeeded', outcome: 'succeeded', decidedAt: 1 } } : {}),
});

describe('a silent attempt', () => {
  const hourMs = 3_600_000;
  /** When it is ended for that, and by which words. */
  async function ended(kind: PartKind, timeoutMs?: number): Promise<{ afterMs: number; why?: string } | undefined> {
    const clock = new FakeClock();
    let killedMs: number | undefined;
    const worker = silent(() => (killedMs ??= clock.monotonic()));
    const spec = { ...specOf(timeoutMs), input: { kind: 'range', from: 0, to: 1 } } as JobSpec;
    const run = new AttemptRun(toolsWith(clock, worker), spec, partOf(kind));
    const outcome = run.run().catch((error: unknown) => error);
    await settled();
    const beganMs = clock.monotonic();
    await clock.advanceAsync(hourMs);
    const afterMs = killedMs === undefined ? undefined : killedMs - beganMs;
    await run.stop();
    const end = await outcome;
    if (afterMs === undefined) expect(end).toBeInstanceOf(StoppedError);
    return afterMs === undefined ? undefined : { afterMs, why: (end as Commit).request.failures[0]?.message };
  }

  it.each(['map', 'split', 'reduce'] as const)(
    'is ended after ten seconds, or what the user says: %s',
    async (kind) => {
      expect(await ended(kind)).toMatchObject({ afterMs: 10_000 });
      expect(await ended(kind, 3_000)).toMatchObject({ afterMs: 3_000 });
    },
  );

  it.each(['gather', 'main', 'hook'] as const)('goes on, unless the user said otherwise: %s', async (kind) => {
    expect(await ended(kind)).toBeUndefined();
    const why = `${kind === 'hook' ? 'on_success' : kind}: no progress for 20 s; raise --timeout`;
    expect(await ended(kind, 20_000)).toEqual({ afterMs: 20_000, why });
  });
});

describe('an attempt with limits', () => {
  async function failureOf(worker: PooledWorker, resources: object, clock: FakeClock): Promise<unknown> {
    const spec = { ...specOf(3_600_000), input: { kind: 'range', from: 0, to: 4 } } as JobSpec;
    const limited = { ...spec, limits: jobLimitsSchema.parse({ ...spec.limits, resources }) };
    const run = new AttemptRun(toolsWith(clock, worker), limited, { ...partOf('map'), to: 4 });
    const ran = run.run();
    await settled();
    await clock.advanceAsync(60_000);
    return (await ran).request;
  }
  const nobody = (): void => undefined;

  it('is ended after its time, whatever progress it makes, and names the item that it was at', async () => {
    const clock = new FakeClock();
    let killedMs = -1;
    const worker = silent(() => (killedMs = clock.monotonic()));
    worker.runtime.position = () => ({ item: 2, counter: clock.monotonic() });
    const beganMs = clock.monotonic();
    expect(await failureOf(worker, { wallMs: 5_000 }, clock)).toMatchObject({
      failures: [
        { code: 'ITEM_LIMIT', item: 2, message: 'item 2: ran for more than 5 s (limit of the job; raise --max-time)' },
      ],
    });
    expect(killedMs - beganMs).toBe(5_000);
  });

  it('keeps what it gave up to its limit, and nothing after', async () => {
    let killed = 0;
    const worker = silent(() => (killed += 1));
    const { run } = worker.runtime;
    worker.runtime.run = async (work, sink) => {
      const end = run(work, sink);
      for (const line of ['11\n', '22\n', '333\n', '4\n']) await sink.results(1, Buffer.from(line));
      return end;
    };
    worker.runtime.position = () => ({ item: 3, counter: 0 });
    expect(await failureOf(worker, { partOutputBytes: 7 }, new FakeClock())).toMatchObject({
      done: [{ from: 0, to: 2 }],
      failures: [{ code: 'ITEM_LIMIT', item: 2, message: expect.stringContaining('more than 7 bytes') }],
      unfinished: [{ from: 3, to: 4 }],
    });
    expect(killed).toBeGreaterThan(0);
  });

  it.each([
    [{ code: null, signal: 'SIGXCPU' }, false, 'needed more than 2 s of CPU time (limit of the job; raise --cpu-time)'],
    [{ code: null, signal: 'SIGKILL' }, true, 'needed more than 64 MiB of memory (limit of the job; raise --memory)'],
    [{ code: null, signal: 'SIGKILL' }, false, 'the worker process was killed by SIGKILL (out of memory?)'],
  ])('says why its worker is gone: %j', async (exit, memory, words) => {
    const worker = silent(nobody);
    // Asked for when all of the worker is gone; what it was at has to be known by then.
    worker.struck = async () => {
      worker.runtime.position = () => ({ item: 3, counter: 0 });
      return { memory, processes: false };
    };
    worker.runtime.run = async () => ({ kind: 'gone', exit });
    const told = await failureOf(worker, { cpuMs: 2_000, memoryBytes: 64 * 1024 * 1024 }, new FakeClock());
    expect(told).toMatchObject({ failures: [{ message: `item 0: ${words}` }] });
  });

  it('says what a worker cannot know of a command that was killed', async () => {
    const worker = silent(nobody);
    worker.struck = async () => ({ memory: true, processes: false });
    worker.runtime.run = async (_, sink) => {
      await sink.failed(0, { code: 'COMMAND_FAILED', message: 'the command was killed by SIGKILL', unexplained: true });
      return { kind: 'ended', items: 0 };
    };
    expect(await failureOf(worker, {}, new FakeClock())).toMatchObject({
      failures: [
        {
          code: 'ITEM_LIMIT',
          message: expect.stringMatching(/^item 0: needed more than 2 GiB .*node.*: the command was killed/),
        },
      ],
    });
  });
});

describe('an attempt', () => {
  it('commits when its lines are in the log, and not later than a moment when that is away', async () => {
    const clock = new FakeClock();
    const did: string[] = [];
    let store: () => void = quiet;
    const append = (): Promise<void> =>
      new Promise((resolve) => {
        did.push('append');
        store = resolve;
      });
    const events: EventLog = Object.assign(new MemoryEventLog(), { append });
    const ask = async ({ name }: { name: string }): Promise<unknown> => {
      did.push(name);
      return { body: { outcome: 'committed', children: [], failed: [] }, raw: new Uint8Array() };
    };
    const logs = new JobLogs(events, clock, log, 'epoch');
    const tools = toolsWith(clock, printing(), { store: { ask } as unknown as AttemptTools['store'], logs });
    const [spec, assignment] = [specOf(), partOf('main')];

    const run = new AttemptRun(tools, spec, assignment);
    const committing = run.commit(await run.run());
    await settled();
    expect(did).toEqual(['append']);
    store();
    await committing;
    expect(did).toEqual(['append', commitPart.name]);

    const other = new AttemptRun(tools, spec, assignment);
    const late = other.commit(await other.run());
    await clock.advanceAsync(endMs);
    await late;
    expect(did.slice(2)).toEqual(['append', commitPart.name]);
    store();
    await tools.logs.flush();
    expect(clock.pending).toBe(0);
  });
});
