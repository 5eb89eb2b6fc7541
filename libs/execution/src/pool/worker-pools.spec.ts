import { FakeClock, settled } from '@das/testing';
import { expectedMs } from '../core/pool-plan.js';
import { NotStartedError } from '../ports/errors.js';
import { type FakeStart, FakeProcess, fakeStart } from '../testing/fake-launch.js';
import { VenvPools } from './venv-pools.js';
import { WorkerPool } from './worker-pool.js';
import { WorkerPools } from './worker-pools.js';

/** Starting takes real files: a few turns of the event loop. */
async function until(what: () => boolean): Promise<void> {
  while (!what()) await settled();
}

const none = async (): Promise<never> => Promise.reject(new Error('there are no virtual environments'));
const noVenvs = new VenvPools({
  ...{ find: none, probe: none, clock: new FakeClock() },
  poolOf: () => {
    throw new Error('there are no virtual environments');
  },
});

describe('the pools of a node', () => {
  let clock: FakeClock;
  let python: FakeStart;
  let node: FakeStart;
  let pools: WorkerPools;
  let nodePool: WorkerPool;
  let faults: unknown[];
  let able: boolean;
  const slots = 3;
  const started = async (): Promise<void> => until(() => pools.size >= slots);

  beforeEach(async () => {
    clock = new FakeClock();
    faults = [];
    able = true;
    let pid = 4_000_000;
    python = await fakeStart(clock, () => new FakeProcess((pid += 1)));
    node = await fakeStart(clock, () => {
      if (!able) throw new NotStartedError('no memory');
      return new FakeProcess((pid += 1));
    });
    const first = { languages: ['python'] as const, pool: new WorkerPool({ ...python, slots }) };
    nodePool = new WorkerPool({ ...node, slots, atRest: 1 });
    const second = { languages: ['node', 'wasm'] as const, pool: nodePool };
    pools = new WorkerPools([first, second], clock, (error) => void faults.push(error), noVenvs);
    await pools.open();
    await started();
  });
  afterEach(async () => {
    await pools.close();
    for (const start of [python, node]) await start.close();
    expect(clock.pending).toBe(0);
  });

  it('have one worker of a later kind ready before any job of it came, a little after the start', async () => {
    expect(nodePool.size).toBe(0);
    clock.advance(3_000);
    await until(() => nodePool.size === 1);
    await settled();
    expect([nodePool.size, pools.size]).toEqual([1, slots + 1]);
  });

  it('have one per slot once a job of it came, and one again when none came for a while', async () => {
    clock.advance(3_000);
    await until(() => nodePool.size === 1);
    const worker = await pools.acquire({ language: 'wasm', job: 'a', generation: 1 });
    await until(() => nodePool.size === 1 + slots);
    pools.release(worker);
    pools.endJob('a');
    await until(() => nodePool.size === slots);
    clock.advance(expectedMs);
    await until(() => nodePool.size === 1);
  });

  it('give a worker back to where it came from, and to its own job only', async () => {
    const worker = await pools.acquire({ language: 'node', job: 'a', generation: 1 });
    pools.release(worker);
    const other = await pools.acquire({ language: 'python', job: 'a', generation: 1 });
    expect(other).not.toBe(worker);
    expect(await pools.acquire({ language: 'wasm', job: 'a', generation: 1 })).toBe(worker);
  });

  it('tell that a later kind cannot start, and have it once it can', async () => {
    able = false;
    clock.advance(3_000);
    await until(() => faults.length === 1);
    able = true;
    const worker = await pools.acquire({ language: 'node', job: 'a', generation: 1 });
    expect(worker.alive).toBe(true);
  });
});

describe('a node that cannot run a language', () => {
  it('says why, for each job of it', async () => {
    const clock = new FakeClock();
    const start = await fakeStart(clock, () => new FakeProcess());
    const pool = new WorkerPool({ ...start, slots: 1 });
    const missing = '/root/node cannot be reached by the account of scripts';
    const pools = new WorkerPools(
      [
        { languages: ['python'], pool },
        { languages: ['node'], pool, missing },
      ],
      clock,
      () => undefined,
      noVenvs,
    );
    const words = `this node has no workers for node: ${missing}`;
    const failure = { failure: 'LANGUAGE_MISSING', message: words };
    await expect(pools.acquire({ language: 'node', job: 'a', generation: 1 })).rejects.toMatchObject(failure);
    await expect(pools.inspect({ language: 'node', filename: 'a.js', text: '' })).rejects.toThrow(words);
    await pools.close();
    await start.close();
  });
});
