import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import {
  type Assignment,
  type AttemptFinished,
  type ExecutorBeat,
  Fault,
  type JobSpec,
  assignParts,
  attemptFinished,
  dropAttempts,
  executorBeat,
  jobEnded,
  jobLimitsSchema,
} from '@das/contracts';
import { type PartId, jobId, nodeId } from '@das/kernel';
import { ServiceBusOver, connectNats } from '@das/messaging';
import { type Logger, type RunningService, SystemClock, newId, startService } from '@das/platform';
import { natsServer } from '@das/testing';
import { service } from './service.js';
import { Board } from './testing/board.js';
import { StoreStandIn } from './testing/store-stand-in.js';

const node = nodeId('node-1');
const limitMs = 20_000;
/** Each run of an item leaves a line behind. */
const counted =
  'def map(item, params):\n    open(params["runs"], "a").write(f"{item}\\n")\n    return "x" * params["size"]\n';

/** The service with a store that goes away, and is replaced by another instance of itself on the same folder. */
describe('an executor whose store is away', () => {
  const nats = natsServer();
  const warnings = new Board<string>();
  const quiet = (): void => undefined;
  const log: Logger = { debug: quiet, info: quiet, warn: (_, message) => warnings.add(message), error: quiet };
  let store: StoreStandIn;
  let finished: Board<AttemptFinished>;
  let beats: Board<ExecutorBeat>;
  let home: string;
  let running: RunningService | undefined;
  let buses: ServiceBusOver[];
  let leader: ServiceBusOver;
  let runs: string;
  let jobs = 0;

  const connect = async (name: string): Promise<ServiceBusOver> => {
    const { url, token } = nats();
    const bus = await connectNats({ url, token, name });
    const made = new ServiceBusOver(bus, { node: nodeId('stand-in'), service: name }, new SystemClock(), newId);
    buses.push(made);
    return made;
  };
  const start = async (more: Record<string, string> = {}): Promise<void> => {
    const { url, token } = nats();
    const own = { DAS_NODE: node, DAS_NATS_URL: url, DAS_NATS_TOKEN: token, DAS_HOME: home, DAS_SLOTS: '2' };
    const scripts = { PATH: '/usr/local/bin:/usr/bin:/bin', DAS_SCRIPT_WRITES: dirname(runs) };
    running = await startService(service, { ...own, ...scripts, ...more }, { log });
  };
  beforeEach(async () => {
    buses = [];
    [store, finished, beats] = [new StoreStandIn(), new Board(), new Board()];
    home = await mkdtemp(join(tmpdir(), 'das-spooling-'));
    // The scripts' accounts write into it, too.
    runs = join(await mkdtemp(join(tmpdir(), 'das-runs-')), 'runs');
    await writeFile(runs, '');
    await Promise.all([chmod(join(runs, '..'), 0o755), chmod(runs, 0o666)]);
    await store.open(await connect('results-store'));
    leader = await connect('leader');
    await leader.hear(attemptFinished, (body) => finished.add(body));
    await leader.hear(executorBeat, (body) => beats.add(body));
  });
  afterEach(async () => {
    await running?.close();
    for (const bus of buses) await bus.close();
    for (const folder of [home, join(runs, '..')]) await rm(folder, { recursive: true, force: true });
  });

  function specOf(size = 3): JobSpec {
    const functions = { split: false, map: true, combine: false, reduce: false, gather: false, main: false };
    return {
      ...{ job: jobId(`job-${(jobs += 1)}`), name: 'test', language: 'python', filename: 'job.py', functions },
      ...{ code: store.code(counted), contact: node, network: false, input: { kind: 'range', from: 0, to: 100 } },
      ...{ params: { runs, size }, limits: jobLimitsSchema.parse({}) },
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    };
  }
  const partOf = (spec: JobSpec, from: number): Assignment => {
    const part = `map:${from}-${from + 1}` as PartId;
    return { job: spec.job, generation: 1, part, attempt: 1, kind: 'map', from, to: from + 1, tries: 0 };
  };
  async function send(spec: JobSpec, ...from: number[]): Promise<void> {
    const act = { term: 1, leader: nodeId('stand-in'), actSeq: 1 };
    const assignments = from.map((at) => partOf(spec, at));
    expect((await leader.call(assignParts, { act, spec, assignments }, { node })).body.outcome).toBe('accepted');
  }
  const spoolFolder = (): string => join(home, 'spool', node);
  const spooled = async (): Promise<string[]> => (await readdir(spoolFolder())).filter((name) => name.endsWith('.out'));
  const holding = ({ held }: ExecutorBeat): string[] =>
    held.filter(({ phase }) => phase === 'holding').map(({ part }) => part);
  const onDisk = (spec: JobSpec, count: number): Promise<ExecutorBeat> =>
    beats.first(
      ({ hold, held }) => hold?.spooled === count && held.filter(({ job }) => job === spec.job).length >= count,
    );
  /** Runs the items until their output is on disk. */
  async function spool(spec: JobSpec, ...from: number[]): Promise<void> {
    store.away = 'output';
    await send(spec, ...from);
    await onDisk(spec, from.length);
    expect(await spooled()).toHaveLength(from.length);
  }
  const told = (spec: JobSpec, from: number): Promise<AttemptFinished> =>
    finished.first(({ attempt }) => attempt.job === spec.job && attempt.part === partOf(spec, from).part);
  const ran = async (): Promise<string[]> => (await readFile(runs, 'utf8')).split('\n').filter(Boolean).sort();

  it('writes nothing to disk while the store answers', async () => {
    await start();
    const spec = specOf();
    await send(spec, 0, 1);
    expect([await told(spec, 0), await told(spec, 1)]).toMatchObject([
      { outcome: 'committed' },
      { outcome: 'committed' },
    ]);
    expect(await spooled()).toEqual([]);
  });

  it(
    'commits what an earlier instance held exactly once, tells the leader, and runs nothing again',
    async () => {
      await start();
      const spec = specOf();
      await spool(spec, 0, 1, 2);
      const { mode } = await stat(join(spoolFolder(), (await spooled())[0] ?? ''));
      expect([mode & 0o777, (await stat(spoolFolder())).mode & 0o777]).toEqual([0o600, 0o700]);
      await running?.close();
      // What is on disk is not given back.
      expect([finished.seen, (await spooled()).length]).toEqual([[], 3]);
      const before = beats.seen.length;
      await start();
      const first = await beats.until(() => beats.seen[before]);
      expect(holding(first).sort()).toEqual(['map:0-1', 'map:1-2', 'map:2-3']);
      // A leader that sends them again is heard, and nothing starts.
      await send(spec, 0, 1, 2);
      expect(store.commits.seen).toEqual([]);
      store.away = false;
      for (const from of [0, 1, 2]) {
        expect(await told(spec, from)).toMatchObject({ outcome: 'committed', kind: 'map', node, items: 1 });
      }
      await beats.until(() => beats.seen.at(-1)?.hold?.spooled === 0);
      expect(store.commits.seen.map(({ output }) => output.map(({ text }) => text).join(''))).toEqual(
        Array(3).fill('"xxx"\n'),
      );
      expect([await spooled(), await ran(), finished.seen.length]).toEqual([[], ['0', '1', '2'], 3]);
    },
    limitMs,
  );

  it(
    'commits large output with the rows that its earlier life staged',
    async () => {
      await start();
      const spec = specOf(4_000_000);
      store.afterStage = () => void (store.away = 'output');
      await send(spec, 0);
      await onDisk(spec, 1);
      const size = (await stat(join(spoolFolder(), (await spooled())[0] ?? ''))).size;
      // The page that the store took is not kept a second time.
      expect(size).toBeGreaterThan(2_000_000);
      expect(size).toBeLessThan(3_900_000);
      await running?.close();
      await start();
      store.afterStage = () => undefined;
      store.away = false;
      expect(await told(spec, 0)).toMatchObject({ outcome: 'committed' });
      const [commit] = store.commits.seen;
      const bySeq = new Map(commit?.output.map((row) => [row.seq, row.text]));
      expect(
        [...bySeq]
          .sort(([a], [b]) => a - b)
          .map(([, text]) => text)
          .join(''),
      ).toBe(`"${'x'.repeat(4_000_000)}"\n`);
      expect(new Set(store.stages.seen.map(({ run }) => run))).toEqual(new Set([commit?.run]));
    },
    limitMs,
  );

  it.each(['staleAttempt', 'alreadyCommitted', 'jobEnded'] as const)(
    'takes the word of the store: %s',
    async (outcome) => {
      await start();
      const spec = specOf();
      await spool(spec, 0);
      await running?.close();
      await start();
      Object.assign(store, { outcome, away: false });
      expect(await told(spec, 0)).toMatchObject({ outcome });
      await beats.until(() => beats.seen.at(-1)?.held.length === 0);
      expect(await spooled()).toEqual([]);
    },
    limitMs,
  );

  it(
    'takes a refusal that stays for what it is: the part failed, or its job is over',
    async () => {
      await start();
      const [tooLarge, gone] = [specOf(), specOf()];
      await spool(tooLarge, 0);
      store.faults.set('store.commit-part', { fault: new Fault('PAYLOAD_TOO_LARGE', 'too many rows'), once: true });
      store.away = false;
      expect(await told(tooLarge, 0)).toMatchObject({
        fatal: { code: 'PAYLOAD_TOO_LARGE', part: 'map:0-1', node },
        items: 0,
      });
      await spool(gone, 0);
      store.faults.set('store.commit-part', { fault: new Fault('JOB_NOT_FOUND', 'gone') });
      store.away = false;
      expect(await told(gone, 0)).toMatchObject({ outcome: 'jobEnded' });
      await beats.until(() => beats.seen.at(-1)?.hold?.spooled === 0);
      expect(await spooled()).toEqual([]);
    },
    limitMs,
  );

  it(
    'makes a folder of its own in DAS_SPOOL, and leaves that and what else is in it alone',
    async () => {
      const shared = join(home, 'spool');
      await mkdir(shared);
      await chmod(shared, 0o777);
      await writeFile(join(shared, 'other.new'), 'of somebody else');
      await start({ DAS_SPOOL: shared });
      await spool(specOf(), 0);
      expect((await readdir(shared)).sort()).toEqual([node, 'other.new']);
      expect([(await stat(shared)).mode & 0o777, (await stat(spoolFolder())).mode & 0o777]).toEqual([0o777, 0o700]);
    },
    limitMs,
  );

  it(
    'starts with files that are torn: they are set aside, told of, and held no more',
    async () => {
      await start();
      const spec = specOf();
      await spool(spec, 0, 1, 2);
      await running?.close();
      const [cut, changed] = (await spooled()).sort();
      await truncate(join(spoolFolder(), cut ?? ''), 100);
      const path = join(spoolFolder(), changed ?? '');
      await writeFile(path, (await readFile(path, 'latin1')).replace('"xxx"', '"xyx"'), 'latin1');
      const before = beats.seen.length;
      await start();
      expect(holding(await beats.until(() => beats.seen[before])).sort()).toEqual(['map:1-2', 'map:2-3']);
      store.away = false;
      // That it was changed shows when it is read: its part is run again somewhere.
      expect(await told(spec, 1)).toMatchObject({
        outcome: 'abandoned',
        why: expect.stringContaining('not what was written'),
      });
      expect(await told(spec, 2)).toMatchObject({ outcome: 'committed' });
      expect(store.commits.seen.map(({ attempt }) => attempt.part)).toEqual(['map:2-3']);
      expect((await beats.until(() => beats.seen.find(({ hold }) => hold?.torn === 2))).hold?.torn).toBe(2);
      expect(warnings.seen.filter((line) => line.includes('set aside'))).toHaveLength(2);
      expect((await readdir(spoolFolder())).sort()).toEqual([`${cut}.torn`, `${changed}.torn`]);
    },
    limitMs,
  );

  it(
    'lets go of what a leader drops, and of ended jobs',
    async () => {
      await start();
      const [dropped, ended] = [specOf(), specOf()];
      await spool(dropped, 0);
      const act = { term: 1, leader: nodeId('stand-in'), actSeq: 2 };
      await leader.call(dropAttempts, { act, attempts: [partOf(dropped, 0)] }, { node });
      await beats.until(() => beats.seen.at(-1)?.hold?.spooled === 0);
      await spool(ended, 0);
      leader.tell(jobEnded, { job: ended.job, state: 'cancelled' });
      await beats.until(() => beats.seen.at(-1)?.hold?.spooled === 0);
      expect([await spooled(), finished.seen, store.commits.seen]).toEqual([[], [], []]);
    },
    limitMs,
  );

  it(
    'keeps in memory what the disk does not take, says what to change, and goes on when it does',
    async () => {
      await writeFile(join(home, 'spool'), 'no folder');
      await start();
      const spec = specOf();
      store.away = 'output';
      await send(spec, 0);
      const { hold } = await beats.first((beat) => beat.hold?.notice !== undefined);
      expect(hold).toMatchObject({ spooled: 0, full: false, notice: expect.stringMatching(/memory.*DAS_SPOOL/) });
      expect(warnings.seen).toContain(hold?.notice);
      await rm(join(home, 'spool'));
      await onDisk(spec, 1);
      await beats.until(() => beats.seen.at(-1)?.hold?.notice === undefined);
      store.away = false;
      expect(await told(spec, 0)).toMatchObject({ outcome: 'committed' });
    },
    limitMs,
  );

  it(
    'starts nothing new once memory and disk are full, and says so',
    async () => {
      const mib = 1024 * 1024;
      await start({ DAS_SPOOL_BYTES_MAX: String(2 * mib), DAS_HOLD_BYTES_MAX: String(mib) });
      const spec = specOf(1_500_000);
      store.away = 'output';
      // One fits the disk, one waits in memory; the third may not start.
      await send(spec, 0);
      await onDisk(spec, 1);
      await send(spec, 1);
      const { hold } = await beats.first(
        (beat) => beat.hold?.full === true && beat.hold.notice?.includes('spool') === true,
      );
      expect(hold).toMatchObject({
        spooled: 1,
        notice: expect.stringMatching(/^nothing new starts: .*DAS_SPOOL_BYTES_MAX/),
      });
      await send(spec, 2);
      const before = beats.seen.length;
      const waiting = await beats.until(() => beats.seen[before + 1]);
      expect(waiting.held.find(({ part }) => part === 'map:2-3')?.phase).toBe('queued');
      store.away = false;
      for (const from of [0, 1, 2]) expect(await told(spec, from)).toMatchObject({ outcome: 'committed' });
      expect(await ran()).toEqual(['0', '1', '2']);
    },
    limitMs,
  );
});
