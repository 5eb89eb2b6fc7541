import { readFileSync } from 'node:fs';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { SystemClock, newId } from '@das/platform';
import { NotStartedError, WorkerGoneError } from '../ports/errors.js';
import { hostPids } from '../testing/host-pids.js';
import { mapRange, runPart } from '../testing/runtime-parts.js';
import { type Birth, type WorkerBench, births, uidBase, workerBench } from '../testing/worker-bench.js';
import type { PooledWorker } from './pooled-worker.js';

const asRoot = process.getuid?.() === 0;

/** Processes that nobody has waited for yet are dead all the same. */
function alive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await what())) await sleep(5);
}

const parentOf = (pid: number): number =>
  Number(/^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);

const python = (text: string) => ({ language: 'python', filename: 'job.py', text }) as const;

describe('a pool whose nursery is killed', () => {
  it.each<Birth>(['fork', 'bwrap'])(
    'loses its workers, and has others without a pause: %s',
    async (how) => {
      const bench = await workerBench(new SystemClock(), newId, { slots: 1, how });
      try {
        const worker = await bench.pool.acquire({ job: 'a', generation: 1 });
        await until(() => bench.pool.size === 2);
        process.kill(parentOf(worker.process.pid), 'SIGKILL');
        expect(await worker.gone).toEqual({ code: null, signal: 'SIGKILL' });
        const next = await bench.pool.acquire({ job: 'a', generation: 1 });
        // One that was just being born may be told of.
        const faults = bench.faults.filter(
          (fault) => !(fault instanceof NotStartedError && fault.cause instanceof WorkerGoneError),
        );
        expect([next.alive, faults]).toEqual([true, []]);
        // The kernel ends a keeper's namespace before the keeper itself.
        await until(() => !alive(worker.process.pid));
      } finally {
        await bench.close();
      }
    },
    20_000,
  );
});

describe.each(births)('the worker pool, by %s', (how) => {
  let bench: WorkerBench;
  beforeEach(async () => {
    bench = await workerBench(new SystemClock(), newId, { slots: 2, how });
  }, 20_000);
  afterEach(() => bench.close(), 20_000);

  const loaded = async (job: string, text: string): Promise<PooledWorker> => {
    const worker = await bench.pool.acquire({ job, generation: 1 });
    if (worker.loaded) return worker;
    const failure = await worker.runtime.load({ ...python(text), job, node: 'n', params: {} });
    expect(failure).toBeUndefined();
    worker.loaded = true;
    return worker;
  };
  /** What `map` gives for item 0. */
  const ask = async <T>(worker: PooledWorker): Promise<T> => {
    const { lines, failures } = await runPart(worker.runtime, mapRange(0, 1));
    expect(failures).toEqual([]);
    return JSON.parse(lines[0] ?? 'null') as T;
  };

  const counting = 'count = 0\ndef map(item):\n    global count\n    count += 1\n    return count\n';

  it('uses a worker again for its own job, and never for another', async () => {
    const first = await loaded('a', counting);
    expect(await ask(first)).toBe(1);
    bench.pool.release(first);
    const again = await loaded('a', counting);
    expect([again === first, await ask(again)]).toEqual([true, 2]);
    bench.pool.release(again);
    const other = await loaded('b', counting);
    expect([other === first, await ask(other)]).toEqual([false, 1]);
    const generation = await bench.pool.acquire({ job: 'a', generation: 2 });
    expect(generation).not.toBe(first);
  });

  it('keeps a fresh worker per slot, also when one of them dies', async () => {
    await until(() => bench.pool.size === 2);
    const taken = await bench.pool.acquire({ job: 'a', generation: 1 });
    await until(() => bench.pool.size === 3);
    taken.kill();
    await taken.gone;
    await until(() => bench.pool.size === 2);
  });

  it('ends the workers of a job that has ended', async () => {
    const worker = await loaded('a', counting);
    bench.pool.release(worker);
    bench.pool.endJob('a');
    await worker.gone;
    expect(alive(worker.process.pid)).toBe(false);
  });

  it('gives scripts an empty environment, a private folder, an account and limits of their own', async () => {
    const script = `
import os, resource, das
def map(item):
    limit = lambda which: resource.getrlimit(which)[0]
    open("mine", "w").close()
    return {
        "env": sorted(os.environ), "home": os.environ["HOME"] == os.getcwd(), "mode": oct(os.stat("mine").st_mode & 0o777),
        "folder": oct(os.stat(".").st_mode & 0o777), "uid": os.getuid(), "gid": os.getgid(), "groups": os.getgroups(),
        "limits": [limit(resource.RLIMIT_CORE), limit(resource.RLIMIT_FSIZE), limit(resource.RLIMIT_NOFILE), limit(resource.RLIMIT_DATA)],
        "main": __name__, "stdin": os.read(0, 1).decode(), "das": [das.part, das.attempt, das.node],
    }
`;
    const seen = await ask<Record<string, unknown>>(await loaded('a', script));
    expect(seen).toMatchObject({
      env: ['DAS_WORKER', 'HOME', 'LANG', 'PATH', 'TMPDIR'],
      home: true,
      mode: '0o600',
      folder: '0o700',
      limits: [0, 2 ** 30, 256, 2_048 * 1024 * 1024],
      main: 'das_job',
      stdin: '',
      das: ['map:0-1', 1, 'n'],
    });
    if (!asRoot) return;
    expect(seen.uid).toBeGreaterThanOrEqual(uidBase);
    expect([seen.gid, seen.groups]).toEqual([seen.uid, []]);
  });

  (asRoot ? it : it.skip)('lets no worker signal or read another', async () => {
    const victim = await loaded('a', 'import os\ndef map(item): return [os.getpid(), os.getcwd()]\n');
    const [, folder] = await ask<[number, string]>(victim);
    const { pid } = victim.process;
    const attack = `
import os
def tried(act):
    try:
        act()
        return "done"
    except OSError as fault:
        return type(fault).__name__
def map(item):
    folders = ${JSON.stringify(how === 'bwrap' ? [bench.folder] : [bench.folder, folder])}
    return [tried(lambda: os.kill(${pid}, 9)), *[tried(lambda: os.listdir(folder)) for folder in folders]]
`;
    const refused =
      how === 'bwrap' ? ['ProcessLookupError', 'FileNotFoundError'] : Array<string>(3).fill('PermissionError');
    expect(await ask(await loaded('b', attack))).toEqual(refused);
    expect(victim.alive).toBe(true);
  });

  const leavesChildren = `
import os, subprocess
def map(item):
    inside = subprocess.Popen(["sleep", "1000"])
    outside = subprocess.Popen(["sleep", "1000"], start_new_session=True)
    return [os.getpid(), inside.pid, outside.pid]
`;

  /** The worker, and the machine's numbers of it and its children. */
  const startsChildren = async (): Promise<[PooledWorker, number[]]> => {
    const worker = await loaded('a', leavesChildren);
    return [worker, hostPids(worker.process.pid, await ask<number[]>(worker))];
  };

  it('leaves no process and no folder of a worker that ended, also of children that left its group', async () => {
    await until(() => bench.pool.size === 2);
    const [worker, pids] = await startsChildren();
    expect(pids.map(alive)).toEqual([true, true, true]);
    await until(() => bench.pool.size === 3);
    const before = await bench.folders();
    worker.kill();
    await worker.gone;
    await until(() => !pids.some(alive));
    const after = await bench.folders();
    expect([before.length, before.filter((name) => !after.includes(name)).length]).toEqual([3, 1]);
  });

  it('leaves nothing when it closes', async () => {
    const [, pids] = await startsChildren();
    const { warden } = bench;
    await bench.pool.close();
    expect([await bench.folders(), bench.pool.size]).toEqual([[], 0]);
    await warden.close();
    await until(() => ![...pids, warden.pid ?? 0].some(alive));
  });

  it('leaves nothing when the executor is gone: its warden ends everything', async () => {
    const [, pids] = await startsChildren();
    const folders = await bench.folders();
    // What the kernel does for a killed executor: its end of the warden's stdin is closed, and nothing is asked for.
    await bench.warden.close();
    await until(() => !pids.some(alive));
    // This process lives on: its pool may start new workers meanwhile.
    const left = await bench.folders();
    expect(folders.filter((folder) => left.includes(folder))).toEqual([]);
  });

  it('replaces a warden that was killed, which then knows all workers', async () => {
    const [worker, pids] = await startsChildren();
    const killed = bench.warden.pid ?? 0;
    process.kill(killed, 'SIGKILL');
    await until(() => bench.warden.pid !== killed);
    worker.kill();
    await worker.gone;
    await until(() => !pids.some(alive));
  });

  it('parses in a worker that stays fresh', async () => {
    const { functions } = await bench.pool.inspect(python('def map(item): return 1\n'));
    expect(functions?.map).toBe(true);
    const { fault } = await bench.pool.inspect(python('def map(item) return 1\n'));
    expect(fault?.line).toBe(1);
  });
});
