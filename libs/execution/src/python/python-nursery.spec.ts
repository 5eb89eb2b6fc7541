import { readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { FakeClock, settled } from '@das/testing';
import { placeLimitsDefault } from '../core/bounds.js';
import { NotStartedError } from '../ports/errors.js';
import type { LaunchedProcess } from '../ports/launch.js';
import { NurserySockets } from './nursery-sockets.js';
import { PythonNursery } from './python-nursery.js';

const python = '/usr/bin/python3';

function alive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
async function until(what: () => boolean): Promise<void> {
  while (!what()) await sleep(5);
}

describe('the nursery', () => {
  let clock: FakeClock;
  let root: string;
  let nursery: PythonNursery;
  let marks = 0;
  beforeEach(async () => {
    clock = new FakeClock();
    root = await mkdtemp(join(tmpdir(), 'das-nursery-'));
    await mkdir(join(root, 'w-1'));
    open(python);
  });
  afterEach(async () => {
    await nursery.close();
    const left = await readdir(root);
    await rm(root, { recursive: true, force: true });
    expect([left.filter((name) => name.startsWith('.n-')), clock.pending]).toEqual([[], 0]);
  });
  const open = (interpreter: string, at = root): void => {
    nursery = new PythonNursery({ interpreter, root: at, clock });
  };
  const launch = (): Promise<LaunchedProcess> => {
    const place = {
      folder: join(root, 'w-1'),
      mark: `mark-${(marks += 1)}`,
      limits: placeLimitsDefault,
      account: undefined,
    };
    return nursery.launch({ file: python, args: [], env: { LANG: 'C.UTF-8' }, forkable: true }, place);
  };
  const interpreter = async (text: string): Promise<string> => {
    const path = join(root, 'python');
    await writeFile(path, text);
    await chmod(path, 0o755);
    return path;
  };

  it('forks processes that end when they are told to', async () => {
    const born = await launch();
    expect(alive(born.pid)).toBe(true);
    born.signal('SIGKILL');
    expect(await born.exited).toEqual({ code: null, signal: 'SIGKILL' });
  });

  it('tells the end of a worker that nobody talks to', async () => {
    const born = await launch();
    born.channel.destroy();
    expect(await born.exited).toEqual({ code: 70, signal: null });
  });

  it('that cannot be started says so, and the next launch tries anew', async () => {
    const path = join(root, 'python');
    open(path);
    await expect(launch()).rejects.toThrow(NotStartedError);
    await expect(launch()).rejects.toThrow(NotStartedError);
    await symlink(python, path);
    const born = await launch();
    expect(alive(born.pid)).toBe(true);
    // Also when its modules are known, and only the process is missing.
    await rm(path);
    process.kill((await nursery.pid()) ?? 0, 'SIGKILL');
    await born.exited;
    await expect(launch()).rejects.toThrow(/ENOENT/);
    expect((await readdir(root)).filter((name) => name.startsWith('.n-'))).toEqual([]);
  });

  it('that dies at once says why', async () => {
    open(await interpreter(`#!/bin/sh\n[ "$2" = -S ] && exec ${python} "$@"\necho "no such library" >&2\nexit 3\n`));
    await expect(launch()).rejects.toThrow(/nursery ended \(exit code 3\): no such library/);
    await expect(launch()).rejects.toThrow(NotStartedError);
  });

  it('that has nowhere to listen says so', async () => {
    const lost = await mkdtemp(join(tmpdir(), 'das-lost-'));
    await rm(lost, { recursive: true });
    open(python, lost);
    await expect(launch()).rejects.toThrow(/could not be started: .*ENOENT/);
  });

  it('leaves no handle open when it cannot listen', async () => {
    const taken = join(root, '.n-taken');
    await mkdir(taken);
    const handles = (await readdir('/proc/self/fd')).length;
    await expect(NurserySockets.listen(root, 'taken')).rejects.toThrow(/EADDRINUSE/);
    await settled();
    expect((await readdir('/proc/self/fd')).length).toBe(handles);
    await rm(taken, { recursive: true });
  });

  it('that says what it never says is replaced', async () => {
    open(await interpreter(`#!/bin/sh\n[ "$2" = -S ] && exec ${python} "$@"\necho hello\nexec sleep 1000\n`));
    await expect(launch()).rejects.toThrow(/nursery ended \(SIGKILL\)/);
  });

  it('takes its workers along when it is killed, and another takes its place', async () => {
    const born = await launch();
    const first = await nursery.pid();
    process.kill(first ?? 0, 'SIGKILL');
    expect(await born.exited).toEqual({ code: null, signal: 'SIGKILL' });
    expect(alive((await launch()).pid)).toBe(true);
    expect(await nursery.pid()).not.toBe(first);
    await until(() => !alive(born.pid));
  });

  it('does not die of a fork that the machine refuses', async () => {
    const refusing = [
      `#!${python} -I`,
      'import os, sys',
      `if sys.argv[2] == "-S": os.execv("${python}", ["${python}", *sys.argv[1:]])`,
      'real, calls = os.fork, []',
      'def fork():',
      '    calls.append(1)',
      '    if len(calls) == 2: raise BlockingIOError(11, "too many processes")',
      '    return real()',
      'os.fork = fork',
      'text, sys.argv = sys.argv[5], ["-c", *sys.argv[6:]]',
      'exec(text, {"__name__": "__main__"})',
    ];
    open(await interpreter(`${refusing.join('\n')}\n`));
    const first = await launch();
    await expect(launch()).rejects.toThrow(/too many processes/);
    expect([alive(first.pid), alive((await launch()).pid)]).toEqual([true, true]);
  });

  it('leaves no process and no stream of a worker that called back too late', async () => {
    await launch();
    const pid = (await nursery.pid()) ?? 0;
    const before = childrenOf(pid);
    process.kill(pid, 'SIGSTOP');
    const late = launch();
    late.catch(() => undefined);
    while (clock.pending === 0) await settled();
    clock.advance(20_000);
    await expect(late).rejects.toThrow(/did not call back/);
    process.kill(pid, 'SIGCONT');
    // Requests are taken in order: when this one is there, the late one was forked.
    const next = await launch();
    await until(() => childrenOf(pid).length === before.length + 1);
    expect(childrenOf(pid)).toContain(next.pid);
  });

  it('that stands still is killed when it closes', async () => {
    const born = await launch();
    process.kill((await nursery.pid()) ?? 0, 'SIGSTOP');
    const closing = nursery.close();
    while (clock.pending === 0) await settled();
    clock.advance(2_000);
    await closing;
    await until(() => !alive(born.pid));
    await expect(launch()).rejects.toThrow(/is closed/);
  });
});
