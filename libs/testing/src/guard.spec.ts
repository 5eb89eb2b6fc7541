import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const root = join(__dirname, '../../..');
const jestBin = join(root, 'node_modules/jest/bin/jest.js');

const runs = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe('the servers of a test', () => {
  let dir = '';
  let child: ChildProcess | undefined;
  let pids: number[] = [];
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'das-guard-'));
    // Postgres runs as an account of its own, which must find its folder.
    await chmod(dir, 0o711);
  });
  afterEach(async () => {
    child?.kill('SIGKILL');
    for (const pid of pids.filter(runs)) process.kill(pid, 'SIGKILL');
    await rm(dir, { recursive: true, force: true });
  });

  it('end with its process, even when that is killed', async () => {
    const args = ['-c', 'jest.config.mjs', '--rootDir', 'libs/testing', '--testMatch', '**/killed.scenario.ts', '-i'];
    const env = { ...process.env, GUARD_SPEC_DIR: dir };
    child = spawn(process.execPath, [jestBin, ...args], { cwd: root, env, stdio: ['ignore', 'pipe', 'ignore'] });
    for await (const line of createInterface({ input: child.stdout! })) {
      pids = /servers: (\d+) (\d+)/.exec(line)?.slice(1).map(Number) ?? [];
      if (pids.length > 0) break;
    }
    expect(pids.map(runs)).toEqual([true, true]);
    expect(await readdir(dir)).toHaveLength(2);
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
    while (pids.some(runs)) await new Promise(setImmediate);
  }, 60_000);
});
