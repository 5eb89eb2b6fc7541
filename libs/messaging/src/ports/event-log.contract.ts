import type { JobEvent } from '@das/contracts';
import { jobId } from '@das/kernel';
import type { EventLog, LoggedEvent } from './event-log.js';

const note = (job: string, message: string): JobEvent => ({ event: 'note', job: jobId(job), at: 1, message });
const progress = (job: string, committed: number): JobEvent => ({
  event: 'progress',
  job: jobId(job),
  at: 1,
  committed,
  failed: 0,
  items: 10,
  sealed: true,
  running: 1,
});
const told = (logged: readonly LoggedEvent[]): unknown[] =>
  logged.map(({ event }) =>
    event.event === 'note' ? event.message : event.event === 'progress' ? event.committed : event.event,
  );

/** Collects followed events; `until(n)` resolves once there are n. */
export function follower() {
  const got: LoggedEvent[] = [];
  let wake: () => void = () => undefined;
  return {
    got,
    listener: (logged: LoggedEvent): void => {
      got.push(logged);
      wake();
    },
    until: async (count: number): Promise<LoggedEvent[]> => {
      while (got.length < count) await new Promise<void>((resolve) => (wake = resolve));
      return got;
    },
  };
}

/** Every adapter of {@link EventLog} passes this. `start` is asked once per test; jobs of earlier tests may still be in the log. */
export function eventLogContract(name: string, start: () => Promise<EventLog>): void {
  describe(`EventLog contract: ${name}`, () => {
    let log: EventLog;
    let job: string;
    let tests = 0;
    beforeEach(async () => {
      log = await start();
      tests += 1;
      job = `job-${tests}`;
    });
    afterEach(() => log.close());

    it("reads a job's events in order, and nobody else's", async () => {
      await log.append(note(job, 'a'));
      await log.append(note(`${job}-other`, 'x'));
      await log.append(progress(job, 1));
      await log.append(note(job, 'b'));
      const all = await log.read(jobId(job), { after: 0, limit: 10 });
      expect(told(all)).toEqual(['a', 1, 'b']);
      expect(all.map(({ seq }) => seq)).toEqual(all.map(({ seq }) => seq).sort((a, b) => a - b));
      expect(all[0]?.event).toEqual(note(job, 'a'));
    });

    it('reads on after a given event, narrowed to kinds, up to a limit', async () => {
      for (const n of [1, 2, 3]) {
        await log.append(note(job, `n${n}`));
        await log.append(progress(job, n));
      }
      const [, , third] = await log.read(jobId(job), { after: 0, limit: 3 });
      expect(told(await log.read(jobId(job), { after: third?.seq ?? 0, limit: 10 }))).toEqual([2, 'n3', 3]);
      expect(told(await log.read(jobId(job), { after: 0, limit: 2, kinds: ['note'] }))).toEqual(['n1', 'n2']);
      expect(told(await log.read(jobId(job), { after: 0, limit: 10, kinds: ['progress', 'log'] }))).toEqual([1, 2, 3]);
    });

    it('has nothing of an unknown job', async () => {
      expect(await log.read(jobId('unknown'), { after: 0, limit: 10 })).toEqual([]);
    });

    it('stores an event given twice under one id once', async () => {
      await log.append(note(job, 'once'), 'id-1');
      await log.append(note(job, 'once'), 'id-1');
      await log.append(note(`${job}-other`, 'other'), 'id-1');
      expect(told(await log.read(jobId(job), { after: 0, limit: 10 }))).toEqual(['once']);
      expect(told(await log.read(jobId(`${job}-other`), { after: 0, limit: 10 }))).toEqual(['other']);
    });

    it('follows from the first kept event on, then live, in order', async () => {
      for (let n = 0; n < 50; n += 1) await log.append(note(job, `n${n}`));
      const seen = follower();
      const cancel = await log.follow(jobId(job), { after: 0 }, seen.listener);
      for (let n = 50; n < 100; n += 1) await log.append(note(job, `n${n}`));
      expect(told(await seen.until(100))).toEqual(Array.from({ length: 100 }, (_, n) => `n${n}`));
      cancel();
    });

    it('follows after a given event, narrowed to kinds, until cancelled', async () => {
      await log.append(note(job, 'before'));
      const [first] = await log.read(jobId(job), { after: 0, limit: 1 });
      const [narrow, all] = [follower(), follower()];
      const cancel = await log.follow(jobId(job), { after: first?.seq ?? 0, kinds: ['note', 'log'] }, narrow.listener);
      const cancelAll = await log.follow(jobId(job), { after: first?.seq ?? 0 }, all.listener);
      await log.append(progress(job, 1));
      await log.append(note(job, 'a'));
      expect(told(await narrow.until(1))).toEqual(['a']);
      cancel();
      cancel();
      await log.append(note(job, 'b'));
      expect(told(await all.until(3))).toEqual([1, 'a', 'b']);
      expect(told(narrow.got)).toEqual(['a']);
      cancelAll();
    });
  });
}
