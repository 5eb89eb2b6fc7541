import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Bundle, bundleOf, packChunks } from '@das/bundles';
import {
  type Assignment,
  type JobSpec,
  type Language,
  assignParts,
  functionsSchema,
  inspectScript,
  jobLimitsSchema,
} from '@das/contracts';
import { type PartId, jobId, nodeId } from '@das/kernel';
import { ServiceBusOver, connectNats } from '@das/messaging';
import { type Logger, type RunningService, SystemClock, newId, startService } from '@das/platform';
import { natsServer } from '@das/testing';
import { strToU8, zipSync } from 'fflate';
import { service } from './service.js';
import { StoreStandIn } from './testing/store-stand-in.js';

const quiet = (): void => undefined;
const log: Logger = { debug: quiet, info: quiet, warn: quiet, error: quiet };
const node = nodeId('node-1');
const none = { split: false, map: false, combine: false, reduce: false, gather: false, main: false };

/** The least that pip takes for a package (PEP 427). */
const wheel = (): Uint8Array => {
  const info = 'tiny_das-1.0.dist-info';
  return zipSync({
    'tiny_das.py': strToU8('ANSWER = 42\n'),
    [`${info}/METADATA`]: strToU8('Metadata-Version: 2.1\nName: tiny-das\nVersion: 1.0\n'),
    [`${info}/WHEEL`]: strToU8('Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n'),
    [`${info}/RECORD`]: strToU8(`tiny_das.py,,\n${info}/METADATA,,\n${info}/WHEEL,,\n${info}/RECORD,,\n`),
  });
};

/** The service alone over a real server, with a leader and a store that speak only contracts. */
describe('the executor and code bundles', () => {
  const nats = natsServer();
  let store: StoreStandIn;
  let home: string;
  let wheels: string | undefined;
  let running: RunningService;
  let leader: ServiceBusOver;
  let storeBus: ServiceBusOver;
  let jobs = 0;

  const connect = async (name: string): Promise<ServiceBusOver> => {
    const { url, token } = nats();
    const bus = await connectNats({ url, token, name });
    return new ServiceBusOver(bus, { node: nodeId('stand-in'), service: name }, new SystemClock(), newId);
  };
  const start = (more: Readonly<Record<string, string>> = {}): Promise<RunningService> =>
    startService(
      service,
      {
        ...{ DAS_NODE: node, DAS_NATS_URL: nats().url, DAS_NATS_TOKEN: nats().token, DAS_HOME: home, DAS_SLOTS: '2' },
        ...{ PATH: '/usr/local/bin:/usr/bin:/bin', DAS_CODE_CACHE: join(home, 'cache') },
        ...{ DAS_PIP_FIND_LINKS: wheels, ...more },
      },
      { log },
    );
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'das-executor-'));
    await chmod(home, 0o711);
    wheels = join(home, 'wheels');
    await mkdir(wheels);
    await writeFile(join(wheels, 'tiny_das-1.0-py3-none-any.whl'), wheel());
    storeBus = await connect('results-store');
    store = new StoreStandIn();
    await store.open(storeBus);
    leader = await connect('leader');
    running = await start();
  }, 30_000);
  afterAll(async () => {
    await running.close();
    await leader.close();
    await storeBus.close();
    await rm(home, { recursive: true, force: true });
  }, 30_000);

  const bundle = (texts: Readonly<Record<string, string>>): Bundle =>
    bundleOf(Object.entries(texts).map(([path, text]) => ({ path, executable: false, data: Buffer.from(text) })));
  const stored = (one: Bundle): string => {
    store.chunks(one.digest, [...packChunks(one)]);
    return one.digest;
  };
  const specOf = (code: string, filename = 'main.py', language: Language = 'python'): JobSpec => ({
    ...{ job: jobId(`job-${(jobs += 1)}`), name: 'test', language, filename, code, contact: node },
    ...{ bundle: { files: 2, bytes: 1 }, functions: functionsSchema.parse({ ...none, map: true }), params: {} },
    ...{ input: { kind: 'range', from: 0, to: 100 }, limits: jobLimitsSchema.parse({}), network: false },
  });
  async function run(spec: JobSpec, parts = 1) {
    const assignments = Array.from({ length: parts }, (_, from): Assignment => {
      const part = `map:${from}-${from + 1}` as PartId;
      return { job: spec.job, generation: 1, part, attempt: 1, kind: 'map', from, to: from + 1, tries: 0 };
    });
    const act = { term: 1, leader: nodeId('stand-in'), actSeq: 1 };
    await leader.call(assignParts, { act, spec, assignments }, { node });
    return Promise.all(
      assignments.map(({ part }) =>
        store.commits.first(({ attempt }) => attempt.job === spec.job && attempt.part === part),
      ),
    );
  }
  const reads = (): number => store.calls.seen.filter((name) => name === 'store.read-blob').length;
  const inspect = async (digest: string, entry?: string, language?: Language) =>
    (await leader.call(inspectScript, { language, filename: 'x.zip', codeText: '', bundle: digest, entry }, { node }))
      .body;

  it('fetch one once, though ten parts want it at the same time', async () => {
    const spec = specOf(stored(bundle({ 'main.py': 'import v\ndef map(n): return v.V', 'v.py': 'V = 5' })));
    const before = reads();
    const commits = await run(spec, 10);
    expect(commits.map(({ output }) => output.map(({ text }) => text).join(''))).toEqual(Array(10).fill('5\n'));
    expect(reads() - before).toBe(1);
  }, 60_000);

  it('find it again after a restart', async () => {
    const one = bundle({ 'main.py': 'def map(n): return 6', 'v.py': '' });
    await run(specOf(stored(one)));
    await running.close();
    running = await start();
    const before = reads();
    expect((await run(specOf(one.digest)))[0]?.output[0]?.text).toBe('6\n');
    expect(reads()).toBe(before);
  }, 60_000);

  it('fail the job in words when the store lacks it or has it damaged, and say so to the store', async () => {
    const lost = await run(specOf('0'.repeat(64)));
    expect(lost[0]?.fatal).toMatchObject({
      ...{ code: 'CODE_NOT_FOUND', message: expect.stringContaining('does not have the code bundle 000000000000') },
      hint: expect.stringContaining('submit the job again'),
    });
    const one = bundle({ 'main.py': 'def map(n): return 7' });
    const [pack] = [...packChunks(one)];
    store.chunks(one.digest, [Buffer.concat([(pack ?? Buffer.of()).subarray(0, -3), Buffer.from('xxx')])]);
    const damaged = await run(specOf(one.digest));
    expect(damaged[0]?.fatal).toMatchObject({ code: 'CODE_CORRUPT', message: expect.stringContaining('main.py') });
    expect(new Set(store.doubted.seen)).toEqual(new Set(['0'.repeat(64), one.digest]));
    stored(one);
    expect((await run(specOf(one.digest)))[0]?.output[0]?.text).toBe('7\n');
  }, 60_000);

  it('are looked at as a whole before a job has them', async () => {
    const good = stored(bundle({ 'a/job.py': 'from . import b\ndef map(n): return b.X', 'a/b.py': 'X = 1' }));
    expect(await inspect(good, 'a/job.py')).toMatchObject({
      ...{ entry: 'a/job.py', language: 'python', functions: { map: true } },
    });
    await expect(inspect(good)).rejects.toMatchObject({ code: 'CODE_INVALID', details: { field: 'code' } });
    const bad = stored(bundle({ 'main.py': 'def map(n): return 1', 'lib/x.py': '\ndef (' }));
    expect((await inspect(bad)).fault).toMatchObject({ file: 'lib/x.py', line: 2, text: 'def (' });
  }, 30_000);

  (process.getuid?.() === 0 ? it : it.skip)(
    'say what to change when the account of scripts cannot enter their folder',
    async () => {
      await running.close();
      // A room shows it whatever stands above.
      running = await start({ DAS_SANDBOX: 'none' });
      await chmod(home, 0o700);
      const [commit] = await run(specOf(stored(bundle({ 'main.py': 'def map(n): return 8' }))));
      await chmod(home, 0o711);
      await running.close();
      running = await start();
      expect(commit?.fatal).toMatchObject({
        message: expect.stringMatching(/the account of scripts \(\d+\) cannot enter/),
        hint: expect.stringContaining('DAS_CODE_CACHE'),
      });
    },
    30_000,
  );

  it('are of the language of their entry', async () => {
    const text = "import { X } from './lib/x.mts';\nexport const map = (n: number): number[] => [n, X];\n";
    const files = { 'index.ts': text, 'package.json': '{"type":"module"}', 'lib/x.mts': 'export const X: number = 3;' };
    const digest = stored(bundle({ ...files, 'requirements.txt': 'not read by Node.js at all' }));
    expect(await inspect(digest)).toMatchObject({ entry: 'index.ts', language: 'node', functions: { map: true } });
    expect((await run(specOf(digest, 'index.ts', 'node')))[0]?.output[0]?.text).toBe('[0,3]\n');
    await expect(inspect(digest, undefined, 'python')).rejects.toMatchObject({ code: 'CODE_INVALID' });
    const module = stored(bundle({ 'a.wasm': '' }));
    await expect(inspect(module, 'a.wasm')).rejects.toMatchObject({ code: 'CODE_INVALID' });
  }, 60_000);

  it('have the packages that their requirements name, installed once', async () => {
    const text = 'import tiny_das, v\ndef map(n): return [tiny_das.ANSWER, v.V, tiny_das.__file__, v.__file__]';
    const files = { 'main.py': text, 'v.py': 'V = 1', 'requirements.txt': 'tiny-das==1.0  # ours\n' };
    const digest = stored(bundle(files));
    expect((await inspect(digest)).functions).toMatchObject({ map: true });
    const commits = await run(specOf(digest), 4);
    expect(commits.map(({ output }) => output.map((row) => row.text).join(''))).toEqual(
      Array(4).fill('[42,1,"/packages/tiny_das.py","/code/v.py"]\n'),
    );
    await run(specOf(stored(bundle({ ...files, 'v.py': 'V = 2' }))));
    expect(await readdir(join(home, 'cache', node, 'packages'))).toEqual([expect.stringMatching(/^p-/)]);
  }, 60_000);

  it("fail in pip's own words when a package is not to be had, and before a job is there when nothing is configured", async () => {
    const wants = (line: string) => stored(bundle({ 'main.py': 'def map(n): return 1', 'requirements.txt': line }));
    const [commit] = await run(specOf(wants('no-such-das>=2')));
    expect(commit?.fatal).toMatchObject({
      code: 'CODE_REQUIREMENTS',
      message: expect.stringMatching(/No matching distribution found for no-such-das>=2/),
    });
    await expect(inspect(wants('--index-url http://elsewhere'))).rejects.toMatchObject({ code: 'CODE_REQUIREMENTS' });
    await running.close();
    wheels = undefined;
    running = await start();
    await expect(inspect(wants('tiny-das'))).rejects.toMatchObject({
      code: 'CODE_REQUIREMENTS',
      hint: expect.stringContaining('DAS_PIP_FIND_LINKS'),
    });
  }, 60_000);

  it('import as a package of their own, with files beside them, and cannot be written', async () => {
    const text = [
      'from . import b\nimport os, sys, top\n',
      'def map(n):\n    here = os.path.dirname(__file__)\n    try:\n        open(here + "/new", "w"); can = True\n',
      '    except OSError: can = False\n',
      '    return [b.X, top.Y, open(here + "/data.txt").read(), can or os.getuid() == 0, sys.dont_write_bytecode]\n',
    ].join('');
    const files = { 'pkg/job.py': text, 'pkg/b.py': 'X = 1', 'pkg/data.txt': 'd', 'top.py': 'Y = 2' };
    const [commit] = await run(specOf(stored(bundle(files)), 'pkg/job.py'));
    const [first, second, third, , fifth] = JSON.parse(commit?.output[0]?.text ?? '[]') as unknown[];
    expect([first, second, third, fifth]).toEqual([1, 2, 'd', true]);
  }, 30_000);
});
