import { readFileSync } from 'node:fs';
import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import {
  type Assignment,
  type AttemptFinished,
  type Decision,
  type ExecutorBeat,
  Fault,
  type JobSpec,
  type PartKind,
  assignParts,
  attemptFinished,
  dropAttempts,
  executorBeat,
  inspectScript,
  jobEnded,
  jobLimitsSchema,
  nodeAttributes,
} from '@das/contracts';
import { type JobId, type PartId, jobId, nodeId } from '@das/kernel';
import { JetStreamEventLog, ServiceBusOver, connectNats } from '@das/messaging';
import { type Logger, type RunningService, SystemClock, newId, startService } from '@das/platform';
import { natsServer } from '@das/testing';
import { service } from './service.js';
import { Board } from './testing/board.js';
import { type SeenCommit, StoreStandIn } from './testing/store-stand-in.js';

const quiet = (): void => undefined;
const log: Logger = { debug: quiet, info: quiet, warn: quiet, error: quiet };
const node = nodeId('node-1');
const identity = 'def map(item): return item\n';

/** Processes that nobody has waited for yet are dead all the same. */
function alive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** The service alone over a real server, with a leader and a store that speak only contracts. */
describe('the executor over NATS', () => {
  const nats = natsServer();
  const store = new StoreStandIn();
  const finished = new Board<AttemptFinished>();
  const beats = new Board<ExecutorBeat>();
  const attributes = new Board<number | undefined>();
  let home: string;
  /** Where scripts here may look for files. */
  let gates: string;
  let running: RunningService;
  let leader: ServiceBusOver;
  let storeBus: ServiceBusOver;
  let neighbour: ServiceBusOver;
  let jobs = 0;
  let currentLeader = 1;

  const env = (): Record<string, string | undefined> => ({
    DAS_NODE: node,
    DAS_NATS_URL: nats().url,
    DAS_NATS_TOKEN: nats().token,
    DAS_HOME: home,
    DAS_SLOTS: '2',
    DAS_SCRIPT_READS: gates,
    PATH: '/usr/local/bin:/usr/bin:/bin',
  });
  const connect = async (name: string, at = nodeId('stand-in')): Promise<ServiceBusOver> => {
    const { url, token } = nats();
    const bus = await connectNats({ url, token, name });
    return new ServiceBusOver(bus, { node: at, service: name }, new SystemClock(), newId);
  };

  beforeAll(async () => {
    gates = await mkdtemp(join(tmpdir(), 'das-gates-'));
    await chmod(gates, 0o755);
    home = await mkdtemp(join(tmpdir(), 'das-executor-'));
    storeBus = await connect('results-store');
    await store.open(storeBus);
    leader = await connect('leader');
    await leader.hear(attemptFinished, (body) => finished.add(body));
    await leader.hear(executorBeat, (body) => beats.add(body));
    neighbour = await connect('membership', node);
    await neighbour.hear(nodeAttributes, ({ slots }) => attributes.add(slots));
    running = await startService(service, env(), { log });
  }, 30_000);
  afterAll(async () => {
    await running.close();
    await leader.close();
    await storeBus.close();
    await neighbour.close();
    await rm(home, { recursive: true, force: true });
    await rm(gates, { recursive: true, force: true });
  }, 30_000);
  afterEach(() => {
    Object.assign(store, { away: false, outcome: 'committed', takesFatal: true, blockOutcome: 'stored', stored: [] });
    const nothing = async (): Promise<void> => undefined;
    Object.assign(store, { beforeCommit: nothing, beforeTerm: nothing });
    store.faults.clear();
  });

  interface Asked {
    readonly kind?: PartKind;
    readonly from?: number;
    readonly to?: number;
    readonly functions?: readonly string[];
    readonly limits?: Partial<JobSpec['limits']>;
    readonly params?: Record<string, unknown>;
    readonly input?: JobSpec['input'];
    readonly term?: number;
    readonly generation?: number;
    readonly job?: JobId;
    readonly decision?: Decision;
  }
  function specOf(text: string, asked: Asked): JobSpec {
    const has = (name: string): boolean => (asked.functions ?? ['map']).includes(name);
    return {
      job: asked.job ?? jobId(`job-${(jobs += 1)}`),
      ...{
        name: 'test',
        language: 'python',
        filename: 'job.py',
        code: store.code(text),
        contact: node,
        network: false,
      },
      functions: {
        ...{ split: has('split'), map: has('map'), combine: has('combine') },
        ...{ reduce: has('reduce'), gather: has('gather'), main: has('main') },
      },
      input: asked.input ?? { kind: 'range', from: 0, to: 1_000_000 },
      params: asked.params ?? {},
      limits: { ...jobLimitsSchema.parse({}), ...asked.limits },
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    };
  }
  function partOf(spec: JobSpec, asked: Asked): Assignment {
    const { kind = 'map', from = 0, to = from + 1, generation = 1, decision } = asked;
    const part = `${kind}:${from}-${to}` as PartId;
    return { job: spec.job, generation, part, attempt: 1, kind, from, to, tries: 0, decision };
  }
  async function send(spec: JobSpec, assignments: Assignment[], term = currentLeader): Promise<string> {
    const act = { term, leader: nodeId('stand-in'), actSeq: 1 };
    return (await leader.call(assignParts, { act, spec, assignments }, { node })).body.outcome;
  }
  const commitOf = (job: string, part?: string): Promise<SeenCommit> =>
    store.commits.first(({ attempt }) => attempt.job === job && (part === undefined || attempt.part === part));
  const endOf = (job: string): Promise<AttemptFinished> => finished.first(({ attempt }) => attempt.job === job);

  /** Runs one part; gives its commit. */
  async function run(text: string, asked: Asked = {}): Promise<SeenCommit> {
    const spec = specOf(text, asked);
    expect(await send(spec, [partOf(spec, asked)], asked.term)).toBe('accepted');
    return commitOf(spec.job);
  }
  const textOf = (commit: SeenCommit): string => commit.output.map(({ text }) => text).join('');

  describe('maps', () => {
    it('commits results of stored items, page by page, and tells the leader', async () => {
      const job = jobId('stored-items');
      const lines = Array.from({ length: 2_500 }, (_, n) => `{"n":${n},"ü":"ä"}`);
      store.items(job, lines);
      const commit = await run(identity, { job, input: { kind: 'blocks' }, from: 100, to: 2_500 });
      expect(textOf(commit)).toBe(`${lines.slice(100).join('\n')}\n`);
      expect(commit).toMatchObject({
        node,
        sandbox: expect.stringMatching(/^(bwrap|landlock)$/),
        done: [{ from: 100, to: 2_500 }],
        failures: [],
        unfinished: [],
      });
      expect(commit.rows).toMatchObject([{ kind: 'map', bucket: 0, from: 100, to: 2_500, seq: 0 }]);
      expect(await endOf(job)).toMatchObject({ outcome: 'committed', kind: 'map', node, items: 2_400 });
    });

    it('runs over integers without asking for items', async () => {
      const commit = await run(identity, { input: { kind: 'range', from: 50, to: 60 }, from: 3, to: 6 });
      expect(textOf(commit)).toBe('53\n54\n55\n');
    });

    it('stages what a commit would not hold, in rows of whole items', async () => {
      const commit = await run('def map(item): return "x" * 1000\n', { to: 3_000 });
      expect(textOf(commit)).toBe(`"${'x'.repeat(1000)}"\n`.repeat(3_000));
      expect(commit.output.length).toBeGreaterThan(commit.rows.length);
      let at = 0;
      for (const row of commit.output) {
        expect([row.from, row.text.length]).toEqual([at, (row.to - row.from) * 1_003]);
        at = row.to;
      }
    });

    it('names its life to the store: rows of another life of the attempt are not taken', async () => {
      const large = specOf('def map(item): return "x" * 1000\n', {});
      const lives: Array<string | undefined> = [];
      for (const attempt of [1, 2]) {
        await send(large, [{ ...partOf(large, { to: 3_000 }), attempt }]);
        const { run, output } = await store.commits.first(
          ({ attempt: of }) => of.job === large.job && of.attempt === attempt,
        );
        const staged = store.stages.seen.filter(({ attempt: of }) => of.job === large.job && of.attempt === attempt);
        expect(output.reduce((sum, { from, to }) => sum + to - from, 0)).toBe(3_000);
        expect(new Set(staged.map((stage) => stage.run))).toEqual(new Set([run]));
        lives.push(run);
      }
      expect([lives.length, lives.every((life) => life !== undefined && life.length > 8)]).toEqual([2, true]);
      expect(lives[0]).not.toBe(lives[1]);
    });

    it('gives one large result several rows', async () => {
      const commit = await run('def map(item): return "x" * 3_000_000\n', { from: 4 });
      expect(commit.output.map(({ from, to, seq }) => [from, to, seq])).toEqual([
        [4, 5, 0],
        [4, 5, 1],
        [4, 5, 2],
      ]);
      expect(textOf(commit)).toBe(`"${'x'.repeat(3_000_000)}"\n`);
    });

    it('commits pairs by bucket when the script reduces', async () => {
      const text = 'def map(item):\n    for i in range(item): yield str(i), 1\ndef reduce(k, v): return sum(v)\n';
      const commit = await run(text, { functions: ['map', 'reduce'], to: 4, limits: { buckets: 3 } });
      expect(
        commit.output.every(({ kind, bucket, from, to }) => kind === 'shuffle' && bucket < 3 && from === 0 && to === 4),
      ).toBe(true);
      expect(textOf(commit).split('\n').filter(Boolean).sort()).toEqual([
        '["0",1]',
        '["0",1]',
        '["0",1]',
        '["1",1]',
        '["1",1]',
        '["2",1]',
      ]);
    });
  });

  describe('locks', () => {
    const locking = 'import das\ndef map(item):\n    with das.lock("stock") as lock: return lock.fence\n';
    const holder = (job: string) => ({ kind: 'attempt', job, generation: 1, part: 'map:0-1', attempt: 1, node });

    it('are waited for longer than an item may make no progress, and given back', async () => {
      const asked = () => store.calls.seen.filter((name) => name === 'store.acquire-lock').length;
      const [before, { lock }] = [asked(), store];
      const by = { kind: 'client' as const };
      // The sixth question comes after 50 + 100 + 200 + 400 + 800 ms.
      store.lock = () => (asked() - before < 6 ? { outcome: 'held', by, expiresAt: 1, leftMs: 60_000 } : lock());
      const commit = await run(locking, { limits: { timeoutMs: 500 } });
      expect([textOf(commit), commit.failures]).toEqual(['7\n', []]);
      const { job } = commit.attempt;
      expect(await store.released.first(({ holder: by }) => by.kind === 'attempt' && by.job === job)).toMatchObject({
        ...{ name: 'stock', holder: holder(job), fence: 7 },
      });
    });

    it('that the store cannot be asked for fail the item after its wait, in words', async () => {
      store.faults.set('store.acquire-lock', { fault: new Fault('STORE_UNAVAILABLE', 'the database is away') });
      const commit = await run(locking.replace('"stock"', '"stock", wait=0'));
      const message = 'LockTimeout: nothing is known of the lock stock: the database is away';
      expect(commit.failures).toMatchObject([{ code: 'ITEM_RAISED', message }]);
    });
  });

  describe('failures', () => {
    it('names the item that raised, with its traceback, and commits the others', async () => {
      const text = 'def map(item):\n    if item == 2: raise ValueError("bad ü")\n    return item\n';
      const commit = await run(text, { to: 5 });
      expect(commit.done).toEqual([
        { from: 0, to: 2 },
        { from: 3, to: 5 },
      ]);
      expect(commit.failures).toMatchObject([
        { code: 'ITEM_RAISED', item: 2, message: 'ValueError: bad ü', itemText: '2', node },
      ]);
      expect(commit.failures[0]?.traceback).toContain('File "job.py", line 2, in map');
      expect(textOf(commit)).toBe('0\n1\n3\n4\n');
    });

    it('gives the rest back after 20 failures', async () => {
      const commit = await run('def map(item): raise ValueError(item)\n', { to: 100 });
      expect([commit.failures.length, commit.done, commit.unfinished]).toEqual([20, [], [{ from: 20, to: 100 }]]);
    });

    it('keeps the prefix of a crash, blames the item, and gives the tail back', async () => {
      const text =
        'import os, signal, time\ndef map(item):\n    time.sleep(0.06)\n    if item == 3: os.kill(os.getpid(), signal.SIGKILL)\n    return item\n';
      const commit = await run(text, { to: 6 });
      expect(commit).toMatchObject({ done: [{ from: 0, to: 3 }], unfinished: [{ from: 4, to: 6 }] });
      expect(commit.failures).toMatchObject([
        { code: 'ITEM_CRASHED', item: 3, message: 'item 3: the worker process was killed by SIGKILL (out of memory?)' },
      ]);
      expect(textOf(commit)).toBe('0\n1\n2\n');
    });

    it('ends an item without progress', async () => {
      const text =
        'import time\ndef map(item):\n    if item == 1: time.sleep(1000)\n    time.sleep(0.06)\n    return item\n';
      const commit = await run(text, { to: 3, limits: { timeoutMs: 500 } });
      expect(commit.failures).toMatchObject([
        { code: 'ITEM_TIMEOUT', item: 1, message: 'item 1: no progress for 0.5 s; raise --timeout' },
      ]);
      expect(commit.done).toEqual([{ from: 0, to: 1 }]);
    });

    it('lets an item go on that reports progress', async () => {
      const text =
        'import time, das\ndef map(item):\n    for _ in range(8):\n        das.progress()\n        time.sleep(0.1)\n    return item\n';
      expect((await run(text, { limits: { timeoutMs: 400 } })).failures).toEqual([]);
    });

    it('fails the part for good when the script cannot be imported', async () => {
      const commit = await run('import nothing_of_that_name\n', { to: 5 });
      expect(commit).toMatchObject({ done: [], failures: [], unfinished: [], rows: [] });
      expect(commit.fatal).toMatchObject({
        code: 'SCRIPT_IMPORT',
        message: expect.stringContaining('nothing_of_that_name'),
        hint: expect.stringMatching(/this ran on .*python.*only this one file travels.*DAS_PYTHON/),
      });
      expect(await endOf(commit.attempt.job)).toMatchObject({ fatal: { code: 'SCRIPT_IMPORT' } });
    });

    it('takes a script that writes into the channel of its worker for a crash', async () => {
      const commit = await run('import os\nos.write(3, b"\\x02\\x00\\x00\\x00L{}")\ndef map(item): return item\n', {
        from: 7,
      });
      expect(commit.failures).toMatchObject([
        { code: 'ITEM_CRASHED', item: 7, message: expect.stringContaining('protocol fault') },
      ]);
    });

    it('fails nothing by a failure that the store did not take', async () => {
      Object.assign(store, { takesFatal: false, outcome: 'alreadyCommitted' });
      const commit = await run('import nothing_of_that_name\n', { to: 5 });
      const told = await endOf(commit.attempt.job);
      expect([commit.fatal?.code, told.outcome, told.fatal]).toEqual(['SCRIPT_IMPORT', 'alreadyCommitted', undefined]);
    });

    it('blames the first item when importing ends the process', async () => {
      const commit = await run('import os\nos._exit(4)\n', { from: 7, to: 9 });
      expect(commit.failures).toMatchObject([{ code: 'ITEM_CRASHED', item: 7 }]);
      expect(commit.unfinished).toEqual([{ from: 8, to: 9 }]);
    });
  });

  describe('what the store refuses for good', () => {
    const refusal = new Fault('PAYLOAD_TOO_LARGE', 'it has too many rows', { hint: 'return less' });
    const hint = expect.stringMatching(/./);

    it.each(['store.commit-part', 'store.stage-output'])('fails the part with words: %s', async (name) => {
      store.faults.set(name, { fault: refusal, once: true });
      const commit = await run('def map(item): return "x" * 1000\n', { to: 3_000 });
      const fatal = {
        ...{ code: 'PAYLOAD_TOO_LARGE', message: 'part map:0-3000: it has too many rows', hint: 'return less' },
        ...{ part: 'map:0-3000', node },
      };
      expect(commit).toMatchObject({ fatal, done: [], failures: [], unfinished: [], rows: [] });
      expect(await endOf(commit.attempt.job)).toMatchObject({ outcome: 'committed', fatal, items: 0 });
    });

    it('fails the part whose script the store does not have', async () => {
      const spec = { ...specOf(identity, {}), code: 'a'.repeat(64) };
      await send(spec, [partOf(spec, {})]);
      expect((await commitOf(spec.job)).fatal).toMatchObject({
        ...{ code: 'NOT_FOUND', hint },
        message: 'part map:0-1: the store does not have the code aaaaaaaaaaaa…',
      });
    });

    it('gives the attempt back with the reason, in short, when it refuses that, too', async () => {
      store.faults.set('store.commit-part', { fault: new Fault('REQUEST_INVALID', `no ${'x'.repeat(500)}`) });
      const spec = specOf(identity, {});
      await send(spec, [partOf(spec, {})]);
      const { outcome, why } = await endOf(spec.job);
      expect([outcome, why?.length, why?.slice(0, 5)]).toEqual(['abandoned', 200, 'no xx']);
    });

    it.each(['JOB_NOT_FOUND', 'JOB_ENDED'] as const)('lets go of a job that is over: %s', async (code) => {
      store.faults.set('store.commit-part', { fault: new Fault(code, 'over') });
      const spec = specOf(identity, {});
      await send(spec, [partOf(spec, {})]);
      expect(await endOf(spec.job)).toMatchObject({ outcome: 'jobEnded' });
      expect(store.commits.seen.some(({ attempt }) => attempt.job === spec.job)).toBe(false);
    });
  });

  describe('steps', () => {
    const numbers = 'def split(params):\n    for i in range(params["count"]): yield i * params.get("sign", 1)\n';
    const split = { kind: 'split', functions: ['split', 'map'], input: { kind: 'split' } } as const;

    it('stores the blocks of split in order, then seals the job', async () => {
      const before = store.blocks.seen.length;
      const commit = await run(numbers, { ...split, params: { count: 150_000 } });
      expect(commit).toMatchObject({ sealed: { items: 150_000 }, done: [{ from: 0, to: 1 }], rows: [] });
      const blocks = store.blocks.seen.slice(before);
      expect(blocks.map(({ no }) => no)).toEqual(blocks.map((_, no) => no));
      expect(blocks.map(({ text }) => text).join('')).toBe(
        Array.from({ length: 150_000 }, (_, n) => `${n}\n`).join(''),
      );
    });

    it('starts the job again when split yields other items than before', async () => {
      const first = await run(numbers, { ...split, params: { count: 5 } });
      expect(first.sealed).toEqual({ items: 5 });
      store.stored = store.blocks.seen.slice(-1).map(({ text: _, ...head }) => head);
      const spec = specOf(numbers, { ...split, params: { count: 5, sign: -1 } });
      await send(spec, [partOf(spec, split)]);
      expect(await store.restarts.first()).toContain('not those that an earlier attempt yielded');
      expect(await endOf(spec.job)).toMatchObject({ outcome: 'staleAttempt' });
    });

    it('ends a split whose attempt has ended for the store', async () => {
      store.blockOutcome = 'staleAttempt';
      const spec = specOf(numbers, { ...split, params: { count: 5 } });
      await send(spec, [partOf(spec, split)]);
      expect(await endOf(spec.job)).toMatchObject({ outcome: 'staleAttempt' });
    });

    it('reduces the pairs of its bucket', async () => {
      const job = jobId('reduces');
      store.output(job, { kind: 'shuffle', bucket: 2, from: 0, text: '["b",1]\n["a",1]\n' });
      store.output(job, { kind: 'shuffle', bucket: 2, from: 9, text: '["b",5]\n' });
      store.output(job, { kind: 'shuffle', bucket: 1, from: 0, text: '["c",1]\n' });
      const text = 'def map(i): yield i, 1\ndef reduce(key, values): return values\n';
      const commit = await run(text, { job, kind: 'reduce', from: 2, functions: ['map', 'reduce'] });
      expect(textOf(commit)).toBe('{"key":"a","value":[1]}\n{"key":"b","value":[1,5]}\n');
      expect(commit.rows).toMatchObject([{ kind: 'reduce', bucket: 0, from: 2, to: 3, seq: 0 }]);
    });

    it('merges the buckets of a script without gather', async () => {
      const job = jobId('merges');
      store.output(job, { kind: 'reduce', bucket: 0, from: 0, text: '{"key":"b","value":1}\n' });
      store.output(job, { kind: 'reduce', bucket: 0, from: 1, text: '{"key":"a","value":1}\n{"key":"c","value":1}\n' });
      const commit = await run('def map(i): yield i, 1\ndef reduce(k, v): return 1\n', {
        job,
        kind: 'gather',
        functions: ['map', 'reduce'],
      });
      expect(textOf(commit)).toBe('{"key":"a","value":1}\n{"key":"b","value":1}\n{"key":"c","value":1}\n');
    });

    it('gathers results and passes parameters', async () => {
      const job = jobId('gathers');
      store.output(job, { kind: 'map', bucket: 0, from: 0, text: '1\n2\n' });
      store.output(job, { kind: 'map', bucket: 0, from: 2, text: '3\n' });
      const text =
        'def map(i): return i\ndef gather(results, params): return {"sum": sum(results), "len": len(results), **params}\n';
      const commit = await run(text, { job, kind: 'gather', functions: ['map', 'gather'], params: { p: 1 } });
      expect(textOf(commit)).toBe('{"sum":6,"len":3,"p":1}\n');
      expect(commit.done).toEqual([{ from: 0, to: 1 }]);
    });

    it('runs main, inside the trace of the job', async () => {
      const text =
        'import os, das\ndef main(params): return [os.environ["TRACEPARENT"], das.traceparent, das.node, das.part]\n';
      const commit = await run(text, { kind: 'main', functions: ['main'], input: { kind: 'none' } });
      const [inEnvironment, inDas, ...rest] = textOf(commit).split('\n').slice(0, -1);
      expect(inEnvironment).toContain('0af7651916cd43dd8448eb211c80319c');
      expect(inDas).toBe(inEnvironment);
      expect(rest).toEqual(['"node-1"', '"main:0-1"']);
    });

    it('runs the hook of a decision: with the final lines, or with why the job failed; the store confirms it first', async () => {
      const job = jobId('settles');
      store.output(job, { kind: 'gather', bucket: 0, from: 0, text: '{"sum":6}\n' });
      const text =
        'import das\ndef gather(r): return 1\ndef on_success(r): assert [das.decision_id, *r] == ["id-1", {"sum": 6}]\n';
      const decision: Decision = { id: 'id-1', outcome: 'succeeded', decidedAt: 1 };
      const functions = ['map', 'gather', 'on_success'];
      const commit = await run(text, { job, kind: 'hook', functions, decision });
      expect(commit).toMatchObject({ done: [{ from: 0, to: 1 }], failures: [], output: [] });
      expect(store.stages.seen.filter(({ attempt }) => attempt.job === job).length).toBeGreaterThan(0);
      const failing = 'def map(i): return i\ndef on_failure(error): raise KeyError(error["message"])\n';
      const failure = { code: 'ITEM_RAISED', message: 'bad item' };
      const lost = await run(failing, { kind: 'hook', decision: { ...decision, outcome: 'failed', failure } });
      expect(lost.failures).toMatchObject([{ item: 0, message: "on_failure failed: KeyError: 'bad item'" }]);
    });

    it('tells a step that fails as a failure of the step', async () => {
      const commit = await run('def main(): raise KeyError("k")\n', {
        kind: 'main',
        functions: ['main'],
        input: { kind: 'none' },
      });
      expect(commit).toMatchObject({
        done: [],
        rows: [],
        failures: [{ code: 'ITEM_RAISED', item: 0, message: "main failed: KeyError: 'k'" }],
      });
    });
  });

  describe('prints', () => {
    /** Runs one item; gives the lines of its job's log once `enough`. */
    async function printed(text: string, enough: (lines: readonly string[]) => boolean): Promise<readonly string[]> {
      const { url, token } = nats();
      const connection = await connectNats({ url, token, name: 'reader' });
      const events = await JetStreamEventLog.open(connection.connection, new SystemClock());
      const spec = specOf(text, {});
      const lines = new Board<string>();
      const cancel = await events.follow(spec.job, { after: 0 }, ({ event }) => {
        if (event.event === 'log') for (const line of event.lines) lines.add(`${event.part} ${event.stream}: ${line}`);
      });
      await send(spec, [partOf(spec, {})]);
      await lines.until(() => enough(lines.seen));
      cancel();
      await connection.close();
      return lines.seen;
    }

    it('are in the log before the store takes the commit', async () => {
      const { url, token } = nats();
      const connection = await connectNats({ url, token, name: 'reader' });
      const events = await JetStreamEventLog.open(connection.connection, new SystemClock());
      let logged: unknown;
      store.beforeCommit = async ({ attempt }) => {
        const kept = await events.read(attempt.job, { after: 0, limit: 10 });
        logged = kept.flatMap(({ event }) => (event.event === 'log' ? event.lines : []));
      };
      await run('def map(item):\n    print("hello")\n    return item\n');
      await connection.close();
      expect(logged).toEqual(['hello']);
    });

    it('become the log of the job, whole and in order', async () => {
      const text = [
        'import sys',
        'def map(item):',
        '    print("zeile ü", item)',
        '    print("err", item, file=sys.stderr)',
        '    sys.stdout.write("no end")',
        '    return 0',
        '',
      ].join('\n');
      const lines = await printed(text, ({ length }) => length >= 3);
      const out = ['map:0-1 stdout: zeile ü 0', 'map:0-1 stdout: no end'];
      expect([...lines].sort()).toEqual(['map:0-1 stderr: err 0', ...out.sort()]);
      expect(lines.filter((line) => line.includes('stdout'))).toEqual([
        'map:0-1 stdout: zeile ü 0',
        'map:0-1 stdout: no end',
      ]);
    });

    it('are bounded, and one line says how many were dropped', async () => {
      const text = 'def map(item):\n    for i in range(30_000): print(i)\n    return 0\n';
      const lines = await printed(text, (seen) => seen.some((line) => line.includes('dropped')));
      const notices = lines.filter((line) => line.includes('dropped'));
      expect(notices).toEqual([expect.stringMatching(/^map:0-1 stderr: … \d+ lines dropped/)]);
      const dropped = Number(/… (\d+)/.exec(notices[0] ?? '')?.[1]);
      expect(dropped + lines.length - 1).toBe(30_000);
    });
  });

  describe('a store that is away', () => {
    /** Runs until the gate is there, so that the store can go away meanwhile. */
    const gated = (result: string): string =>
      `import os, time\ndef map(item, params):\n    while not os.path.exists(params["gate"]): time.sleep(0.005)\n    return ${result}\n`;
    let gate: string;
    beforeEach(async () => {
      gate = join(await mkdtemp(join(gates, 'gate-')), 'open');
      await chmod(dirname(gate), 0o755);
    });
    afterEach(() => rm(dirname(gate), { recursive: true, force: true }));

    const inPhase = (spec: JobSpec, phase: string): Promise<ExecutorBeat> =>
      beats.first(({ held }) => held.some((h) => h.job === spec.job && h.phase === phase));

    it('is waited for: the output is held, the slot goes on, and nothing is lost', async () => {
      const spec = specOf(gated('item'), { params: { gate } });
      await send(spec, [partOf(spec, { from: 1 }), partOf(spec, { from: 2 }), partOf(spec, { from: 3 })]);
      await inPhase(spec, 'running');
      store.away = true;
      await writeFile(gate, '');
      await beats.first(({ held }) => held.filter((h) => h.job === spec.job && h.phase === 'holding').length === 3);
      expect(store.commits.seen.some(({ attempt }) => attempt.job === spec.job)).toBe(false);
      store.away = false;
      for (const from of [1, 2, 3])
        expect(textOf(await commitOf(spec.job, `map:${from}-${from + 1}`))).toBe(`${from}\n`);
    }, 20_000);

    it('stops waiting for code when it stops', async () => {
      store.away = true;
      const spec = specOf(`${identity}# ${gate}\n`, {});
      await send(spec, [partOf(spec, {})]);
      await inPhase(spec, 'running');
      await running.close();
      expect(await endOf(spec.job)).toMatchObject({ outcome: 'abandoned', why: 'the node stops' });
      running = await startService(service, env(), { log });
    }, 20_000);
  });

  describe('what a leader may ask', () => {
    it('runs an attempt once, however often it is sent', async () => {
      const spec = specOf(identity, {});
      const part = partOf(spec, {});
      await send(spec, [part]);
      await send(spec, [part]);
      await endOf(spec.job);
      const told = finished.seen.length;
      await send(spec, [part]);
      // It is over: its end is told again, and nothing runs.
      await finished.until(() => finished.seen.length > told);
      expect(finished.seen.filter(({ attempt }) => attempt.job === spec.job).length).toBe(2);
      expect(store.commits.seen.filter(({ attempt }) => attempt.job === spec.job).length).toBe(1);
    });

    it('tells what the store thought of the commit', async () => {
      store.outcome = 'staleAttempt';
      const { attempt } = await run(identity);
      expect(await endOf(attempt.job)).toMatchObject({ outcome: 'staleAttempt' });
    });

    const endless = 'import os, time\ndef map(item):\n    print(os.getpid(), flush=True)\n    time.sleep(1000)\n';
    const runningPid = async (job: string): Promise<number> => {
      await beats.first(({ held }) => held.some((h) => h.job === job && h.phase === 'running' && h.runningMs > 0));
      return beats.seen.length;
    };

    it('ends the workers of an ended job within two seconds, without a word', async () => {
      const spec = specOf(endless, {});
      await send(spec, [partOf(spec, {})]);
      await runningPid(spec.job);
      const workers = beats.seen.at(-1)?.workers ?? 0;
      const startedMs = Date.now();
      leader.tell(jobEnded, { job: spec.job, state: 'cancelled' });
      await beats.until(() => beats.seen.at(-1)?.held.every(({ job }) => job !== spec.job));
      await beats.until(() => (beats.seen.at(-1)?.workers ?? 99) <= workers);
      expect(Date.now() - startedMs).toBeLessThan(2_500);
      expect(finished.seen.some(({ attempt }) => attempt.job === spec.job)).toBe(false);
    }, 15_000);

    it('drops attempts that count no more', async () => {
      const spec = specOf(endless, {});
      const part = partOf(spec, {});
      await send(spec, [part]);
      await runningPid(spec.job);
      const act = { term: 1, leader: nodeId('stand-in'), actSeq: 2 };
      const { body } = await leader.call(dropAttempts, { act, attempts: [part] }, { node });
      expect(body.outcome).toBe('dropped');
      await beats.until(() => beats.seen.at(-1)?.held.every(({ job }) => job !== spec.job));
    }, 15_000);

    it('inspects a script', async () => {
      const ask = async (codeText: string) =>
        (await leader.call(inspectScript, { language: 'python', filename: 'job.py', codeText }, { node })).body;
      expect((await ask(identity)).functions).toMatchObject({ map: true, split: false });
      expect((await ask('def map(:\n')).fault).toMatchObject({ line: 1, text: 'def map(:' });
    });

    const restart = async (): Promise<void> => {
      await running.close();
      running = await startService(service, env(), { log });
    };

    it('refuses the past, also after a restart, and follows a store whose terms start again', async () => {
      const spec = specOf(identity, {});
      const asked = (): number => store.calls.seen.filter((name) => name === 'store.current-term').length;
      store.term = 8;
      expect(await send(spec, [partOf(spec, {})], 8)).toBe('accepted');
      await endOf(spec.job);
      expect(await send(spec, [partOf(spec, { from: 1 })], 7)).toBe('staleTerm');
      // The refused leader made the executor ask the store, which agrees.
      await store.calls.until(() => asked() === 1);
      await restart();
      store.term = 2;
      expect(await send(spec, [partOf(spec, { from: 1 })], 7)).toBe('staleTerm');
      await store.calls.until(() => asked() === 2);
      await beats.until(
        (
          (seen) => () =>
            beats.seen.length > seen
        )(beats.seen.length),
      );
      expect(await send(spec, [partOf(spec, { from: 1 })], 2)).toBe('accepted');
      currentLeader = 3;
    }, 30_000);

    it('stays with the highest term when it arrives while the store is asked', async () => {
      await restart();
      const spec = specOf(identity, {});
      let tell: () => void = () => undefined;
      const told = new Promise<void>((resolve) => (tell = resolve));
      const asked = new Promise<void>((resolve) => {
        store.beforeTerm = () => {
          resolve();
          return told;
        };
      });
      store.term = 1;
      expect(await send(spec, [partOf(spec, {})], 20)).toBe('accepted');
      expect(await send(spec, [partOf(spec, { from: 1 })], 19)).toBe('staleTerm');
      await asked;
      expect(await send(spec, [partOf(spec, { from: 2 })], 30)).toBe('accepted');
      tell();
      await beats.until(
        (
          (seen) => () =>
            beats.seen.length > seen + 1
        )(beats.seen.length),
      );
      expect(await send(spec, [partOf(spec, { from: 3 })], 29)).toBe('staleTerm');
      currentLeader = 30;
    }, 30_000);
  });

  describe('its life', () => {
    it('beats and tells its slots', async () => {
      expect(await attributes.first()).toBe(2);
      const { slots, draining, epoch } = await beats.first();
      expect([slots, draining, epoch.length > 10]).toEqual([2, false, true]);
    });

    it('gives back what it cannot finish when it stops, and leaves no process and no folder', async () => {
      const spec = specOf(
        'import os, subprocess, time\nsubprocess.Popen(["sleep", "1000"])\ndef map(item): time.sleep(1000)\n',
        {},
      );
      const parts = [0, 1, 2].map((from) => partOf(spec, { from }));
      await send(spec, parts);
      await beats.first(
        ({ held }) => held.filter(({ job, phase }) => job === spec.job && phase === 'running').length === 2,
      );
      const children = descendants(process.pid);
      expect(children.length).toBeGreaterThan(3);
      await running.close();
      const told = finished.seen.filter(({ attempt }) => attempt.job === spec.job);
      expect(told.map(({ outcome }) => outcome)).toEqual(['abandoned', 'abandoned', 'abandoned']);
      expect(beats.seen.at(-1)?.draining).toBe(true);
      const mine = children.filter((pid) => /python|sleep/.test(commandOf(pid)));
      expect(mine.filter(alive)).toEqual([]);
      expect((await readdir(join(home, 'scratch', node))).filter((name) => name.startsWith('w-'))).toEqual([]);
      running = await startService(service, env(), { log });
    }, 20_000);
  });
});

function descendants(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  return [...children, ...children.flatMap(descendants)];
}
function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
