import {
  type JobRecord,
  advanceJob,
  appendBlock,
  cancelJob,
  claimTerm,
  commitPart,
  createJob,
  getJob,
  jobEnded,
  jobWake,
  readOutput,
  restartSplit,
  saveActs,
  serviceHealth,
} from '@das/contracts';
import { Scenario, bytesOf, linesFrom, specOf, textOf } from '@das/jobs/contract';
import { partIdOf } from '@das/jobs';
import { type JobId, nodeId } from '@das/kernel';
import { JetStreamEventLog, type NatsMessageBus, ServiceBusOver, connectNats } from '@das/messaging';
import { type RunningService, StartError, SystemClock, newId, startService } from '@das/platform';
import { type TestPostgres, natsServer, startTestPostgres } from '@das/testing';
import { createHash } from 'node:crypto';
import { service } from './service.js';

const clock = new SystemClock();
const codeText = 'def map(item): return item\n';
const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

describe('the results-store as a service', () => {
  const nats = natsServer();
  let postgres: TestPostgres;
  let bus: ServiceBusOver;
  let connection: NatsMessageBus;
  let events: JetStreamEventLog;
  const closing: (() => Promise<unknown>)[] = [];
  const running: RunningService[] = [];
  const woken: JobId[] = [];
  const created: JobRecord[] = [];
  const ended: { job: JobId; state: string; belowGeneration?: number | undefined }[] = [];
  /** Resolves when the condition holds; looked at whenever something was heard. */
  const heard: (() => void)[] = [];
  const until = async (holds: () => boolean) => {
    while (!holds()) await new Promise<void>((resolve) => heard.push(resolve));
  };
  const hear = () => {
    for (const look of heard.splice(0)) look();
  };

  const env = (node: string, url: string) => ({
    ...{
      DAS_NODE: node,
      DAS_NATS_URL: nats().url,
      DAS_NATS_TOKEN: nats().token,
      DAS_DATABASE_URL: url,
      DAS_DATABASE_POOL: '4',
    },
  });

  beforeAll(async () => {
    postgres = await startTestPostgres();
    const { url } = await postgres.freshDatabase();
    // Both at once on an empty database: only one migrates.
    running.push(
      ...(await Promise.all(['node-1', 'node-2'].map((node) => startService(service, env(node, url), { log: quiet })))),
    );
    connection = await connectNats({ url: nats().url, token: nats().token, name: 'test' });
    bus = new ServiceBusOver(connection, { node: nodeId('node-9'), service: 'job-splitter' }, clock, newId);
    events = await JetStreamEventLog.open(connection.connection, clock);
    closing.push(
      () => bus.close(),
      () => events.close(),
      () => connection.close(),
    );
    await bus.hear(jobWake, (wake) => {
      woken.push(wake.job);
      if (wake.created) created.push(wake.created);
      hear();
    });
    await bus.hear(jobEnded, (body) => (ended.push(body), hear()));
  }, 90_000);
  afterAll(async () => {
    for (const close of closing) await close();
    for (const one of running) await one.close();
    await postgres?.close();
  }, 60_000);

  const statesOf = async (job: JobId) =>
    (await events.read(job, { after: 0, limit: 100 })).map(({ event }) =>
      event.event === 'state' ? event.state : event.event,
    );
  const create = async (spec = specOf()) => (await bus.call(createJob, { spec, codeText })).body.job.spec.job;
  let term = 0;
  const act = () => ({ term, leader: nodeId('node-9'), actSeq: 0 });
  /** Shapes requests only; nothing of it reaches a store but over the bus. */
  const shape = new Scenario({} as never, {} as never);

  it('tells of no end while a job only settles: who waits for its result would take it for there', async () => {
    const job = await create(specOf({ input: { kind: 'range', from: 0, to: 0 }, functions: { on_success: true } }));
    term = (await bus.call(claimTerm, { node: nodeId('node-9'), above: 0 })).body.term;
    const advance = async () => {
      const { body } = await bus.call(advanceJob, { act: act(), job, generation: 1, to: 'succeeded', parts: [] });
      return body.job?.state;
    };
    expect(await advance()).toBe('settling');
    const attempt = { job, generation: 1, part: partIdOf('hook', 0, 1, 0), attempt: 1 };
    const attempts = [{ ...attempt, node: nodeId('node-9') }];
    await bus.call(saveActs, { act: act(), parts: [], cuts: [], attempts, ended: [] });
    await bus.call(commitPart, {
      ...{
        attempt,
        node: nodeId('node-9'),
        rows: [],
        done: [{ from: 0, to: 1 }],
        failures: [],
        unfinished: [],
        busyMs: 1,
      },
    });
    expect(await advance()).toBe('succeeded');
    // Announcements of one store come in order: an earlier one would be here by now.
    await until(() => ended.some((end) => end.job === job));
    expect(ended.filter((end) => end.job === job)).toEqual([{ job, state: 'succeeded' }]);
  });

  it('carries a job from its creation to its result over the bus, and tells each change', async () => {
    const job = await create();
    await until(() => woken.includes(job));
    expect(created.find(({ spec }) => spec.job === job)).toEqual((await bus.call(getJob, { job })).body.job);
    term = (await bus.call(claimTerm, { node: nodeId('node-9'), above: term })).body.term;
    const part = 'map:0-10' as ReturnType<typeof shape.commitRequest>[0]['attempt']['part'];
    const attempt = { job, generation: 1, part, attempt: 1 };
    const saved = await bus.call(saveActs, {
      act: act(),
      parts: [{ job, generation: 1, part, kind: 'map', from: 0, to: 10, tries: 0 }],
      cuts: [{ job, generation: 1, cut: 10 }],
      attempts: [{ ...attempt, node: nodeId('node-9') }],
      ended: [],
    });
    expect(saved.body).toEqual({ outcome: 'saved', term, stale: [] });
    const [request, raw] = shape.commitRequest(job, part);
    expect((await bus.call(commitPart, request, { raw })).body.outcome).toBe('committed');
    const { body, raw: output } = await bus.call(readOutput, { job, kind: 'map', bucket: 0, skipFailed: false });
    expect([body.rows.length, textOf(output)]).toEqual([1, linesFrom(0, 10)]);
    const done = await bus.call(advanceJob, { act: act(), job, generation: 1, to: 'succeeded', parts: [] });
    expect(done.body.outcome).toBe('advanced');
    await until(() => ended.some((end) => end.job === job && end.state === 'succeeded'));
    const followed: string[] = [];
    const all = new Promise<void>((resolve) => {
      void events.follow(job, { after: 0, kinds: ['state'] }, ({ event }) => {
        if (event.event === 'state' && followed.push(event.state) === 2) resolve();
      });
    });
    await all;
    expect(followed).toEqual(['running', 'succeeded']);
    expect(await statesOf(job)).toEqual(['running', 'succeeded']);
  });

  it('says in a Fault what it refuses', async () => {
    const spec = specOf();
    const wrong = bus.call(createJob, { spec, codeText: 'other' });
    await expect(wrong).rejects.toMatchObject({ code: 'REQUEST_INVALID', details: { field: 'spec.code' } });
    const [request, raw] = shape.commitRequest(spec.job, 'map:0-1' as never);
    await expect(bus.call(commitPart, request, { raw })).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' });
    const job = await create();
    const bad = bus.call(advanceJob, { act: act(), job, generation: 1, to: 'cancelled', parts: [] });
    await expect(bad).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
  });

  it('wakes the leader for blocks of split and ends the attempts of an earlier generation', async () => {
    const job = await create(specOf({ input: { kind: 'split' }, functions: { split: true } }));
    const part = 'split:0-1' as never;
    const attempt = { job, generation: 1, part, attempt: 1 };
    const parts = [{ job, generation: 1, part, kind: 'split' as const, from: 0, to: 1, tries: 0 }];
    await bus.call(saveActs, {
      act: act(),
      parts,
      cuts: [],
      attempts: [{ ...attempt, node: nodeId('node-9') }],
      ended: [],
    });
    const before = woken.filter((id) => id === job).length;
    const lines = linesFrom(0, 3);
    const digest = createHash('sha256').update(lines).digest('hex');
    const block = { no: 0, from: 0, to: 3, digest };
    await bus.call(appendBlock, { job, generation: 1, block, attempt }, { raw: bytesOf(lines) });
    await until(() => woken.filter((id) => id === job).length > before);
    await bus.call(restartSplit, { attempt, why: 'other items' });
    await until(() => ended.some((end) => end.job === job && end.belowGeneration === 2));
    expect((await bus.call(getJob, { job })).body.job).toMatchObject({ generation: 2, state: 'splitting' });
    expect((await bus.call(cancelJob, { job, why: 'enough' })).body.outcome).toBe('cancelled');
    await until(() => ended.some((end) => end.job === job && end.state === 'cancelled'));
  });

  it('says while the database is away, and goes on when it is back', async () => {
    const health = () => bus.call(serviceHealth('results-store'), {}, { node: nodeId('node-1') });
    expect((await health()).body).toMatchObject({ ready: true, reasons: [] });
    await postgres.server.stop();
    await expect(create()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect((await health()).body).toMatchObject({ ready: false, reasons: [expect.stringContaining('database')] });
    await postgres.server.restart();
    const job = await create();
    expect((await bus.call(getJob, { job })).body.job?.state).toBe('running');
    expect((await health()).body.ready).toBe(true);
  }, 30_000);

  it('says at its start what it cannot reach, without the password', async () => {
    const start = (url: string, more = {}) => startService(service, { ...env('node-3', url), ...more }, { log: quiet });
    // Nobody is there, however long one waits.
    const away = start('postgres://das:sesame@127.0.0.1:1/das', { DAS_CONNECT_TIMEOUT_MS: '100' });
    await expect(away).rejects.toThrow(StartError);
    await expect(away).rejects.toThrow(/^cannot use Postgres at 127\.0\.0\.1:1\/das: (?!.*sesame)/);
    const wrong = new URL(postgres.server.url);
    wrong.password = 'sesame';
    await expect(start(wrong.href)).rejects.toThrow(/password authentication failed(?!.*sesame)/);
    await expect(start('mysql://x')).rejects.toThrow(/DAS_DATABASE_URL: expected postgres:\/\//);
  }, 30_000);

  it('answers every operation of the store', async () => {
    const contracts = await import('@das/contracts');
    const operations = Object.values(contracts).filter(
      (value): value is typeof getJob =>
        typeof value === 'object' && 'kind' in value && value.kind === 'operation' && value.name.startsWith('store.'),
    );
    expect(operations.length).toBeGreaterThan(20);
    for (const { name, subject } of operations) {
      // Answered or refused: only a subject that nobody answers says SERVICE_UNAVAILABLE.
      const request = connection.request({ subject, envelope: {}, payload: bytesOf('{}') }, { timeoutMs: 5_000 });
      await expect(request.then(() => name)).resolves.toBe(name);
    }
  });
});
