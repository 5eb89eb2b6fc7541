import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeClock } from '@das/testing';
import { Warden, closeMs } from './warden.js';

describe('the warden, seen by its executor', () => {
  let folder: string;
  beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'das-warden-'))));
  afterEach(() => rm(folder, { recursive: true }));
  /** One that does what the shell is told, whatever is asked. */
  const pretended = async (text: string, clock: FakeClock, onUnbounded: (why: readonly string[]) => void) => {
    const program = join(folder, 'program');
    await writeFile(program, `#!/bin/sh\n${text}\n`);
    await chmod(program, 0o755);
    return new Warden(program, 64_000, folder, { clock, onUnbounded });
  };
  const groupedLine = (grouped: readonly string[], why: readonly string[]): string =>
    `echo '${JSON.stringify({ grouped, why })}'`;

  it('is killed when it does not end by itself', async () => {
    const clock = new FakeClock();
    let answered = (): void => undefined;
    const ready = new Promise<void>((resolve) => (answered = resolve));
    const deaf = await pretended(`${groupedLine([], ['it is deaf'])}; exec sleep 300`, clock, () => answered());
    await ready;
    const closed = deaf.close();
    clock.advance(closeMs);
    await closed;
    expect(() => process.kill(deaf.pid ?? 0, 0)).toThrow('ESRCH');
  });

  it('waits for it no longer than it takes', async () => {
    const clock = new FakeClock();
    const warden = await pretended('cat > /dev/null', clock, () => undefined);
    await warden.close();
    expect(clock.pending).toBe(0);
  });

  it('tells what is bounded no more, and why', async () => {
    let heard = (_: readonly string[]): void => undefined;
    const told = new Promise<readonly string[]>((resolve) => (heard = resolve));
    const lines = [groupedLine(['memory', 'processes'], []), groupedLine(['memory'], ['processes: no room'])];
    const warden = await pretended(`${lines.join('; ')}; cat > /dev/null`, new FakeClock(), heard);
    expect([await told, warden.grouped]).toEqual([['processes: no room'], ['memory']]);
    await warden.close();
  });
});
