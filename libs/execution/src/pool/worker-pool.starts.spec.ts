import { FakeClock, settled } from '@das/testing';
import { NotStartedError, WorkerGoneError } from '../ports/errors.js';
import type { RuntimeWorker } from '../ports/runtime.js';
import { type FakeStart, FakeProcess, fakeStart, workerOf } from '../testing/fake-launch.js';
import type { PooledWorker } from './pooled-worker.js';
import { WorkerPool } from './worker-pool.js';

/** Starting takes real files: a few turns of the event loop. */
async function until(what: () => boolean): Promise<void> {
  while (!what()) await settled();
}

describe('a machine that cannot start workers', () => {
  let clock: FakeClock;
  let start: FakeStart;
  let pool: WorkerPool;
  let able: boolean;
  let launches: number;
  beforeEach(async () => {
    clock = new FakeClock();
    able = true;
    launches = 0;
    start = await fakeStart(clock, () => {
      launches += 1;
      if (!able) throw new NotStartedError('no memory');
      return new FakeProcess(4_000_000 + launches);
    });
    pool = new WorkerPool({ ...start, slots: 1 });
  });
  afterEach(async () => {
    await pool.close();
    await start.close();
    expect(clock.pending).toBe(0);
  });
  /** Takes the only fresh worker away, so that the next one has to be started. */
  const use = async (): Promise<PooledWorker> => pool.acquire({ job: 'a', generation: 1 });

  /** Lets time pass until it is settled. */
  async function inTime<T>(promise: Promise<T>): Promise<T> {
    let over = false;
    const end = (): void => void (over = true);
    promise.then(end, end);
    while (!over) await clock.advanceAsync(10);
    return promise;
  }

  it('fails clearly when not even the first one starts', async () => {
    able = false;
    await expect(pool.open()).rejects.toThrow('a worker process could not be started: no memory');
    expect([launches, await start.folders()]).toEqual([1, []]);
  });

  it('leaves nothing when it is closed while it opens', async () => {
    const opening = expect(pool.open()).rejects.toThrow('the pool is closed');
    await pool.close();
    await opening;
    expect([clock.pending, launches]).toEqual([0, 0]);
  });

  it('ends a worker that is started while it closes, however long that one would take to be ready', async () => {
    let launched: (() => void) | undefined;
    const dull = new FakeProcess();
    const attach = ({ exited }: FakeProcess): RuntimeWorker => ({
      ...workerOf(exited),
      ready: exited.then((exit) => Promise.reject(new WorkerGoneError(exit))),
    });
    const other = await fakeStart(clock, () => dull, { attach });
    const launcher = { launch: () => new Promise<FakeProcess>((resolve) => (launched = () => resolve(dull))) };
    const slow = new WorkerPool({ ...other, launcher, slots: 1 });
    const opening = expect(slow.open()).rejects.toThrow(NotStartedError);
    await until(() => launched !== undefined);
    const closing = slow.close();
    launched?.();
    await closing;
    await opening;
    expect(dull.signals).toContain('SIGKILL');
    await other.close();
  });

  it('tells of a worker that ends before it can take a script what it wrote last', async () => {
    const dying = new FakeProcess();
    const ready = dying.exited.then((exit) => Promise.reject(new WorkerGoneError(exit)));
    const attach = ({ exited }: FakeProcess): RuntimeWorker => ({ ...workerOf(exited), ready });
    const other = await fakeStart(clock, () => dying, { attach: attach });
    const broken = new WorkerPool({ ...other, slots: 1 });
    const opened = expect(broken.open()).rejects.toThrow('could not be started: settings cannot be read');
    dying.stderr.end('some warning\nsettings cannot be read\n');
    dying.end({ code: 13, signal: null });
    await opened;
    await broken.close();
    await other.close();
  });

  it('pauses, then tries again, and has its fresh worker', async () => {
    await pool.open();
    able = false;
    await use();
    await until(() => start.faults.length === 1);
    clock.advance(999);
    await settled();
    expect(launches).toBe(2);
    able = true;
    clock.advance(1);
    await until(() => pool.size === 2);
    expect([launches, start.faults.length]).toEqual([3, 1]);
  });

  it('lets an attempt wait for the next try', async () => {
    await pool.open();
    able = false;
    await use();
    await until(() => start.faults.length === 1);
    const waiting = use();
    await until(() => launches === 3);
    able = true;
    expect((await inTime(waiting)).job).toBe('a');
  });

  it('gives up after a few tries', async () => {
    await pool.open();
    able = false;
    await use();
    await expect(inTime(use())).rejects.toThrow(NotStartedError);
  });

  it('keeps nobody waiting when it closes', async () => {
    await pool.open();
    able = false;
    await use();
    await until(() => start.faults.length === 1);
    const waiting = use();
    waiting.catch(() => undefined);
    await until(() => launches === 3);
    await settled();
    await pool.close();
    await expect(waiting).rejects.toThrow(NotStartedError);
  });

  it('takes no worker for fresh that it has just killed', async () => {
    await pool.open();
    const inspecting = pool.inspect({ language: 'python', filename: 'job.py', text: 'x' });
    await settled();
    clock.advance(20_000);
    await expect(inspecting).rejects.toMatchObject({ code: 'EXECUTION_WORKER_GONE' });
    const { alive } = await use();
    expect(alive).toBe(true);
  });
});
