import { type JobEvent, type JobRecord, limits } from '@das/contracts';
import type { OutboxRow, ResultStore } from '@das/jobs';
import { jobId } from '@das/kernel';
import type { CallContext, EventLog, ServiceBus } from '@das/messaging';
import { FakeClock, settled } from '@das/testing';
import { Announcer } from './announcer.js';
import { InputController } from './input.controller.js';
import { LocksController } from './locks.controller.js';
import { idleInTransactionMs } from '../database/connect.js';
import { OutboxPublisher } from './outbox-publisher.js';
import { RetentionTimer } from './retention-timer.js';
import { WorkController } from './work.controller.js';

const job = jobId('job-1');

describe('the announcer', () => {
  it('wakes the leader at once, then at most every 100 ms per job, and never loses the last', () => {
    const clock = new FakeClock();
    const woken: string[] = [];
    const bus = { tell: (_: unknown, body: { job: string }) => void woken.push(body.job) } as unknown as ServiceBus;
    const announcer = new Announcer(bus, clock);
    for (let block = 0; block < 10; block++) announcer.wakeSoon(job);
    announcer.wakeSoon(jobId('job-2'));
    expect(woken).toEqual(['job-1', 'job-2']);
    clock.advance(100);
    expect(woken).toEqual(['job-1', 'job-2', 'job-1']);
    clock.advance(1_000);
    expect([woken.length, clock.pending]).toEqual([3, 0]);
  });
});

describe('the answer to a creation', () => {
  const spec = { job };
  const record = (state: string) => ({ spec, state, generation: 1 }) as unknown as JobRecord;

  function given(reply: { job: JobRecord; existed: boolean }) {
    const told: unknown[] = [];
    const bus = { tell: (_: unknown, body: unknown) => void told.push(body) } as unknown as ServiceBus;
    const store = { createJob: () => Promise.resolve(reply) } as unknown as ResultStore;
    const outbox = { kickSoon: () => undefined } as unknown as OutboxPublisher;
    const controller = new InputController(store, new Announcer(bus, new FakeClock()), outbox);
    const create = (raw = new Uint8Array()) => controller.createJob({} as never, { raw } as CallContext);
    return { told, create };
  }

  it('wakes the leader with a new job, by name alone with one that existed, and not with an upload', async () => {
    for (const [state, existed, expected] of [
      ['running', false, [{ job, created: record('running') }]],
      ['splitting', false, [{ job, created: record('splitting') }]],
      ['running', true, [{ job }]],
      ['submitted', false, []],
      ['submitted', true, []],
    ] as const) {
      const { told, create } = given({ job: record(state), existed });
      await create();
      expect(told).toEqual(expected);
    }
  });

  it('has the items with it when they are few bytes of text', async () => {
    const small = Buffer.from('1\n"é"\n');
    for (const [raw, lines] of [
      [small, small.toString()],
      [Buffer.alloc(limits.inlineCharsMax + 1, '1'), undefined],
      [Buffer.from([0xff, 0x0a]), undefined],
    ] as const) {
      const { told, create } = given({ job: record('running'), existed: false });
      await create(raw);
      expect(told).toEqual([{ job, created: record('running'), ...(lines !== undefined && { lines }) }]);
    }
  });
});

describe('the end that a commit brings', () => {
  it.each([
    ['with its result', { ended: true, whole: true }, [{ job, state: 'succeeded', result: '1\n' }]],
    ['without it, when there is more', { ended: true }, [{ job, state: 'succeeded' }]],
    ['not when there is none', {}, []],
  ])('is told %s', async (_, reply, expected) => {
    const told: unknown[] = [];
    const bus = { tell: (_: unknown, body: unknown) => void told.push(body) } as unknown as ServiceBus;
    const store = { commitPart: () => Promise.resolve({ outcome: 'committed', ...reply }) } as unknown as ResultStore;
    const outbox = { kick: () => undefined } as unknown as OutboxPublisher;
    const controller = new WorkController(store, new Announcer(bus, new FakeClock()), outbox);
    await controller.commitPart({ attempt: { job } } as never, { raw: Buffer.from('1\n') } as unknown as CallContext);
    expect(told).toEqual(expected);
  });
});

describe('the release of a lock', () => {
  it('is told to those who wait, and one that changed nothing is not', async () => {
    for (const [outcome, expected] of [
      ['released', [{ name: 'stock' }]],
      ['notHeld', []],
    ] as const) {
      const told: unknown[] = [];
      const bus = { tell: (_: unknown, body: unknown) => void told.push(body) } as unknown as ServiceBus;
      const store = { releaseLock: () => Promise.resolve({ outcome }) } as unknown as ResultStore;
      const controller = new LocksController(store, new Announcer(bus, new FakeClock()));
      const holder = { kind: 'client' as const, token: 'anna' };
      expect(await controller.releaseLock({ name: 'stock', holder })).toEqual({ outcome });
      expect(told).toEqual(expected);
    }
  });
});

describe('the outbox publisher', () => {
  const event = (at: number): JobEvent => ({ event: 'note', job, at, message: 'x' });

  function given() {
    const clock = new FakeClock();
    const stored: OutboxRow[] = [];
    const told: string[] = [];
    const warned: string[] = [];
    const state = { away: false, hangs: false, slowMs: 0 };
    const events = {
      append: async (appended: JobEvent, id: string) => {
        if (state.slowMs > 0) await new Promise<void>((resolve) => clock.timer(state.slowMs, resolve));
        if (state.hangs) return new Promise<void>(() => undefined);
        if (state.away) return Promise.reject(new Error('the bus is away'));
        told.push(`${id} ${appended.at}`);
        return Promise.resolve();
      },
    } as unknown as EventLog;
    const store = {
      drainOutbox: async (limit: number, publish: (rows: readonly OutboxRow[]) => Promise<number>) => {
        const [rows, began] = [stored.slice(0, limit), clock.monotonic()];
        const published = rows.length > 0 ? await publish(rows) : 0;
        if (clock.monotonic() - began >= idleInTransactionMs) throw new Error('Postgres has undone this transaction');
        stored.splice(0, published);
        return published;
      },
    };
    const log = { warn: (_: object, message: string) => void warned.push(message) };
    const publisher = new OutboxPublisher(store, events, clock, log);
    const add = (n: number) => {
      for (let i = 0; i < n; i++) stored.push({ seq: stored.length + 1, event: event(i) });
    };
    return { clock, stored, told, warned, state, publisher, add };
  }

  it('lets what may wait a moment be told together with what comes within it, and else by itself', async () => {
    const { clock, publisher, told, add } = given();
    add(1);
    publisher.kickSoon();
    publisher.kickSoon();
    await settled();
    expect([told.length, clock.pending]).toEqual([0, 1]);
    add(1);
    publisher.kick();
    await settled();
    expect([told.length, clock.pending]).toEqual([2, 0]);
    add(1);
    publisher.kickSoon();
    await clock.advanceAsync(25);
    expect(told).toHaveLength(3);
    await publisher.stop();
  });

  it('publishes in order after a change, all of it, and the rest when it stops', async () => {
    const { publisher, told, add, stored } = given();
    add(450);
    publisher.kick();
    await settled();
    expect([told.length, told[0], told[449], stored.length]).toEqual([
      450,
      'outbox-job-1-1 0',
      'outbox-job-1-450 449',
      0,
    ]);
    add(1);
    await publisher.stop();
    expect(told).toHaveLength(451);
  });

  it('finds by itself every 2 s what a crashed instance left', async () => {
    const { clock, publisher, told, add } = given();
    publisher.start();
    add(1);
    await clock.advanceAsync(1_999);
    expect(told).toEqual([]);
    await clock.advanceAsync(1);
    expect(told).toHaveLength(1);
    await publisher.stop();
    expect(clock.pending).toBe(0);
  });

  it('keeps what cannot be published, gives up a publication that hangs, and says so once', async () => {
    const { clock, publisher, told, add, stored, state, warned } = given();
    publisher.start();
    add(1);
    state.away = true;
    await clock.advanceAsync(4_000);
    state.hangs = true;
    await clock.advanceAsync(10_000);
    expect([told, stored.length, warned.length]).toEqual([[], 1, 1]);
    Object.assign(state, { away: false, hangs: false });
    await clock.advanceAsync(8_000);
    expect([told.length, stored.length]).toEqual([1, 0]);
    await publisher.stop();
  });

  it('publishes to a slow bus within the time of a transaction, each event once and in order', async () => {
    const { clock, publisher, told, add, stored, state, warned } = given();
    state.slowMs = 15;
    add(450);
    publisher.kick();
    for (let waited = 0; waited < 450 * 15 + 100; waited += 5) await clock.advanceAsync(5);
    expect([stored.length, warned]).toEqual([0, []]);
    // The one that was under way at the end of a batch comes again under its own id, by which the event log knows it.
    const ids = [...new Set(told.map((line) => line.split(' ')[0]))];
    expect(ids).toEqual(Array.from({ length: 450 }, (_, index) => `outbox-job-1-${index + 1}`));
    expect(told.length - ids.length).toBeLessThanOrEqual(4);
  });

  it('forgets what was published when the bus goes away in the middle of a batch', async () => {
    const { clock, publisher, told, add, stored, state } = given();
    const pass = async (ms: number) => {
      for (let waited = 0; waited < ms; waited += 100) await clock.advanceAsync(100);
    };
    add(3);
    state.slowMs = 800;
    publisher.kick();
    await pass(1_700);
    state.hangs = true;
    await pass(2_400);
    expect([told, stored.map(({ seq }) => seq)]).toEqual([['outbox-job-1-1 0', 'outbox-job-1-2 1'], [3]]);
    Object.assign(state, { hangs: false, slowMs: 0 });
    await publisher.stop();
    expect([told.length, stored]).toEqual([3, []]);
  });
});

describe('the retention timer', () => {
  it('runs one round a minute, never two at a time, and goes on after a failure', async () => {
    const clock = new FakeClock();
    const rounds: ((deleted: string[] | Error) => void)[] = [];
    const store = {
      deleteOld: (keptMs: number) =>
        new Promise<string[]>((resolve, reject) => {
          expect(keptMs).toBe(5_000);
          rounds.push((deleted) => (deleted instanceof Error ? reject(deleted) : resolve(deleted)));
        }),
    };
    const said: string[] = [];
    const log = {
      info: (_: object, message: string) => void said.push(message),
      warn: (_: object, message: string) => void said.push(message),
    };
    const timer = new RetentionTimer(store, 5_000, clock, log);
    timer.start();
    await clock.advanceAsync(180_000);
    expect(rounds).toHaveLength(1);
    rounds[0]!(new Error('away'));
    await clock.advanceAsync(60_000);
    expect(rounds).toHaveLength(2);
    rounds[1]!([job]);
    await timer.stop();
    expect(said).toEqual(['old jobs could not be deleted; tried again in a minute', 'deleted old jobs']);
    expect(clock.pending).toBe(0);
  });
});
