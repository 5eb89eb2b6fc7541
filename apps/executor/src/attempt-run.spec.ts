import { type Assignment, type JobSpec, type PartKind, commitPart, jobLimitsSchema } from '@das/contracts';
import type { LogListener, PooledWorker, RunEnd } from '@das/execution';
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
    ...{ node, clock, newId: () => 'run-1', code: { get: async () => '' }, store: confirming },
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
