import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { durationMs } from '@das/kernel';
import { SystemClock } from '@das/platform/basics';
import { type StartOutcome, detachedStart } from './detached-start.js';

/** From the second look on, so much later. */
class Jumping extends SystemClock {
  #looks = 0;
  constructor(private readonly aheadMs: number) {
    super();
  }
  override monotonic() {
    return durationMs(super.monotonic() + (this.#looks++ === 0 ? 0 : this.aheadMs));
  }
}

describe('a start in the background', () => {
  let home: string;
  let child: ChildProcess;
  let said: string[];
  let interrupt: (() => void) | undefined;
  beforeEach(async () => {
    home = mkdtempSync(join(tmpdir(), 'das-detached-'));
    said = [];
    const script = "process.on('SIGTERM', () => process.exit(0)); setInterval(() => 0, 1000); console.log('up')";
    child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    if (child.stdout) await once(child.stdout, 'data');
  });
  afterEach(() => {
    child.kill('SIGKILL');
    rmSync(home, { recursive: true, force: true });
  });

  const start = (aheadMs = 0): Promise<StartOutcome> => {
    const onInterrupt = (listener: () => void) => {
      interrupt = listener;
      return () => (interrupt = undefined);
    };
    const world = { err: (line: string) => void said.push(line), onInterrupt };
    return detachedStart(child, home, { world, clock: new Jumping(aheadMs) });
  };

  it('is ended by an interrupt', async () => {
    const outcome = start();
    interrupt?.();
    expect([await outcome, child.exitCode, said, interrupt]).toEqual(['interrupted', 0, ['stopping …'], undefined]);
  });

  it('is ended when it takes too long', async () => {
    expect([await start(120_000), child.exitCode, said]).toEqual(['late', 0, ['stopping …']]);
  });

  it('goes on once it is ready', async () => {
    const supervisor = { pid: child.pid, started: '' };
    const state = { version: 1, state: 'ready', supervisor, tokenFile: join(home, 'token'), nodes: [] };
    writeFileSync(join(home, 'cluster.json'), JSON.stringify(state));
    expect([await start(), child.exitCode, said]).toEqual(['ready', null, []]);
  });
});
