import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SystemClock, newId } from '@das/platform';
import { wardenPath } from '../python/package-files.js';
import { at3, limited, plainCommand, shellAt3 } from '../testing/limited.js';
import { workerBench } from '../testing/worker-bench.js';

const mib = 1024 * 1024;
const isWritable = (path: string): boolean => {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
};
/** A container shows them read-only, and who is not root may make none. */
const canMake = process.getuid?.() === 0 && isWritable('/sys/fs/cgroup');
const suite = canMake ? describe : describe.skip;

/** The groups that wardens of a process have made. */
const groupsOf = (executor: number): string[] =>
  execFileSync('find', ['/sys/fs/cgroup', '-maxdepth', '12', '-type', 'd', '-path', `*/das-${executor}*`])
    .toString()
    .split('\n')
    .filter((path) => path !== '');
const groupsOfWorker = (pid: number): string[] => groupsOf(process.pid).filter((path) => path.endsWith(`/${pid}`));

function limitOf(pid: number, ...files: string[]): number {
  for (const path of groupsOfWorker(pid))
    for (const file of files)
      try {
        return Number(readFileSync(join(path, file), 'utf8'));
      } catch {
        // In another hierarchy.
      }
  return Number.NaN;
}

suite(`control groups${canMake ? '' : ' (none can be made here)'}`, () => {
  it('are told of, by what they bound', async () => {
    const bench = await workerBench(new SystemClock(), newId);
    try {
      expect(bench.warden.grouped).toEqual(['memory', 'processes']);
    } finally {
      await bench.close();
    }
  });

  it.each(['fork', 'bwrap'] as const)(
    'count a worker by %s and all that it starts together, and are gone with it',
    async (how) => {
      const jobs = await limited(new SystemClock(), newId, how);
      try {
        const hungry = '["python3", "-c", "import time; x = bytearray(60 << 20); time.sleep(0.5)"]';
        await jobs.ran(at3(`[p.wait() for p in [subprocess.Popen(${hungry}) for _ in range(6)]]`), {
          memoryBytes: 128 * mib,
          processes: 100,
        });
        const { pid } = jobs.last.process;
        expect(limitOf(pid, 'memory.limit_in_bytes', 'memory.max')).toBe(144 * mib);
        expect(limitOf(pid, 'pids.max')).toBe(104);
        expect((await jobs.last.struck()).memory).toBe(true);
        // Told once.
        expect((await jobs.last.struck()).memory).toBe(false);
        jobs.last.kill();
        await jobs.last.gone;
        expect(groupsOfWorker(pid)).toEqual([]);
      } finally {
        await jobs.close();
      }
      expect(groupsOf(process.pid)).toEqual([]);
    },
    60_000,
  );

  it('say why a command was killed, and why a worker was', async () => {
    const jobs = await limited(new SystemClock(), newId, 'fork');
    try {
      const many =
        'for n in 1 2 3 4 5 6; do head -c 80000000 /dev/zero | tail -n 1 >/dev/null & done; wait; kill -9 $$';
      const { failures } = await jobs.ran(shellAt3(many), { memoryBytes: 128 * mib }, plainCommand);
      expect(failures).toMatchObject([{ item: 3, unexplained: true }]);
      expect((await jobs.last.struck()).memory).toBe(true);
      // Shared memory is no data of a process.
      const shared = at3('m = __import__("mmap").mmap(-1, 400 << 20); [m.write(bytes(1 << 20)) for _ in range(400)]');
      const { end } = await jobs.ran(shared, { memoryBytes: 128 * mib });
      expect(end).toEqual({ kind: 'gone', exit: { code: null, signal: 'SIGKILL' } });
      expect((await jobs.last.struck()).memory).toBe(true);
    } finally {
      await jobs.close();
    }
  }, 60_000);

  it('are removed after an executor and its warden that were killed, with what is in them', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'das-groups-'));
    // An executor that starts a warden, has it watch a process, and is killed together with the warden.
    const lost = spawn(
      '/bin/sh',
      [
        '-c',
        `exec 3>&1; sleep 300 & pid=$!; { echo "{\\"watch\\": $pid, \\"uid\\": null, \\"folder\\": \\"${folder}/w-x\\", \\"mark\\": \\"m\\", \\"limits\\": {\\"memoryBytes\\": 99999999, \\"processes\\": 9}}"; echo "{\\"struck\\": $pid}"; cat; } | /usr/bin/python3 -I -S ${wardenPath} 64000 1 ${folder}`,
      ],
      { stdio: ['pipe', 'pipe', 'inherit'], detached: true },
    );
    try {
      await once(lost.stdout, 'data');
      const [left] = groupsOf(lost.pid ?? 0);
      expect(left).toBeDefined();
      killGroup(lost);
      await once(lost, 'exit');
      expect(groupsOf(lost.pid ?? 0)).not.toEqual([]);
      const jobs = await limited(new SystemClock(), newId, 'exec');
      await jobs.close();
      expect(groupsOf(lost.pid ?? 0)).toEqual([]);
    } finally {
      killGroup(lost);
      await rm(folder, { recursive: true, force: true });
    }
  }, 60_000);
});

function killGroup({ pid }: ChildProcess): void {
  try {
    process.kill(-pid!, 'SIGKILL');
  } catch {
    // Gone already.
  }
}
