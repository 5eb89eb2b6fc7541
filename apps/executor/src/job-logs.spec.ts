import type { JobEvent } from '@das/contracts';
import { type PartId, jobId, nodeId } from '@das/kernel';
import { type EventLog, MemoryEventLog } from '@das/messaging';
import type { Logger } from '@das/platform';
import { FakeClock, settled } from '@das/testing';
import { JobLogs, endMs } from './job-logs.js';

const quiet = (): void => undefined;
const log: Logger = { debug: quiet, info: quiet, warn: quiet, error: quiet };
const key = (part: string) => ({
  ...{ job: jobId('j'), part: part as PartId, attempt: 1, node: nodeId('n'), stream: 'stdout' as const },
});

describe('the lines of an attempt that ends', () => {
  const clock = new FakeClock();
  const stored: string[] = [];
  let append: (event: JobEvent) => Promise<void>;
  let logs: JobLogs;
  beforeEach(() => {
    stored.length = 0;
    append = async (event) => void (event.event === 'log' && stored.push(...event.lines));
    const events: EventLog = Object.assign(new MemoryEventLog(), { append: (event: JobEvent) => append(event) });
    logs = new JobLogs(events, clock, log, 'epoch');
  });

  it('are stored without waiting for the next batch, and those of others wait', async () => {
    logs.add(key('map:0-1'), ['mine']);
    logs.add(key('map:1-2'), ['of another']);
    await logs.end(key('map:0-1'));
    expect(stored).toEqual(['mine']);
    clock.advance(200);
    await settled();
    expect(stored).toEqual(['mine', 'of another']);
    expect(clock.pending).toBe(0);
  });

  it('are not waited for with the lines of those who print on', async () => {
    const stores: Array<() => void> = [];
    append = () => new Promise((resolve) => stores.push(resolve));
    logs.add(key('map:0-1'), ['mine']);
    let over = false;
    const ending = logs.end(key('map:0-1')).then(() => (over = true));
    logs.add(
      key('map:1-2'),
      Array.from({ length: 100 }, () => 'of another'),
    );
    await settled();
    expect([over, stores.length]).toEqual([false, 1]);
    stores[0]?.();
    await settled();
    expect([over, stores.length]).toEqual([true, 2]);
    stores[1]?.();
    await ending;
    await logs.flush();
    expect(clock.pending).toBe(0);
  });

  it('hold a commit up only for a moment when the event log is away', async () => {
    let back: () => void = quiet;
    append = () => new Promise((resolve) => (back = resolve));
    logs.add(key('map:0-1'), ['mine']);
    let over = false;
    const ending = logs.end(key('map:0-1')).then(() => (over = true));
    await clock.advanceAsync(endMs - 1);
    expect(over).toBe(false);
    await clock.advanceAsync(1);
    await ending;
    back();
    await logs.flush();
  });
});
