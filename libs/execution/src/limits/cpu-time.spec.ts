import { SystemClock, newId } from '@das/platform';
import { type Limited, at3, limited, plainCommand, shellAt3 } from '../testing/limited.js';
import { mapRange, runPart } from '../testing/runtime-parts.js';

const second = { cpuMs: 1_000 };

describe('a limit of CPU time', () => {
  let jobs: Limited;
  beforeAll(async () => {
    jobs = await limited(new SystemClock(), newId, 'fork');
  }, 30_000);
  afterAll(() => jobs.close(), 30_000);

  it('ends a script that uses more, at its item', async () => {
    const { end, lines } = await jobs.ran(at3('[0 for _ in iter(int, 1)]'), second);
    expect(end).toEqual({ kind: 'gone', exit: { code: null, signal: 'SIGXCPU' } });
    // What it had not told yet is run again.
    expect(['0', '1', '2'].slice(0, lines.length)).toEqual(lines);
    expect(jobs.last.runtime.position().item).toBe(3);
  }, 60_000);

  it('counts for each part anew', async () => {
    const burn = `import time\ndef map(item):\n    until = time.process_time() + 0.13\n    while time.process_time() < until: pass\n    return item\n`;
    // Twice less than a second, and together more than may be used in one part.
    for (const heard of [await jobs.ran(burn, second), await runPart(jobs.last.runtime, mapRange(6, 12))])
      expect([heard.end.kind, heard.lines.length]).toEqual(['ended', 6]);
    expect((await runPart(jobs.last.runtime, mapRange(12, 36))).end.kind).toBe('gone');
  }, 60_000);

  it('ends a command that uses more, at its item, and gives back what has no time left', async () => {
    const { lines, failures, end } = await jobs.ran(shellAt3('while :; do :; done'), second, plainCommand);
    const message = expect.stringMatching(
      /^item 3: needed more than 1 s of CPU time \(limit of the job; raise --cpu-time\): /,
    );
    expect(failures).toMatchObject([{ item: 3, code: 'ITEM_LIMIT', message }]);
    expect(lines.slice(0, 3)).toEqual(['"0"', '"1"', '"2"']);
    expect(end.kind).toBe('ended');
  }, 60_000);
});
