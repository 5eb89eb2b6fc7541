import { type Assignment, type JobSpec, commitPart, jobLimitsSchema } from '@das/contracts';
import type { LogListener, PooledWorker } from '@das/execution';
import { type PartId, jobId, nodeId } from '@das/kernel';
import { type EventLog, MemoryEventLog } from '@das/messaging';
import type { Logger } from '@das/platform';
import { FakeClock, settled } from '@das/testing';
import { AttemptRun, type AttemptTools } from './attempt-run.js';
import { HoldLedger } from './hold-ledger.js';
import { JobLogs, endMs } from './job-logs.js';

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
    const tools = {
      ...{ node, clock, newId: () => 'run-1', code: { get: async () => '' }, store: { ask } },
      pool: { acquire: async () => printing(), release: quiet },
      ledger: new HoldLedger(1, quiet),
      logs: new JobLogs(events, clock, log, 'epoch'),
    } as unknown as AttemptTools;
    const spec = {
      ...{ job, code: 'c', filename: 'job.py', params: {}, input: { kind: 'none' } },
      ...{ functions: {}, limits: jobLimitsSchema.parse({}) },
    } as unknown as JobSpec;
    const part = 'main:0-1' as PartId;
    const assignment: Assignment = { job, generation: 1, part, attempt: 1, kind: 'main', from: 0, to: 1, tries: 0 };

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
