import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { SystemClock, newId } from '@das/platform';
import type { RuntimeHarness } from '../testing/runtime-harness.js';
import { benchHarness } from '../testing/bench-harness.js';
import { mapRange, runPart } from '../testing/runtime-parts.js';
import { NodeRuntime } from './node-runtime.js';

const files: Readonly<Record<string, string>> = {
  'lib/add.ts': "import { one } from './one.js';\nexport const add = (a: number): number => a + one;\n",
  'lib/one.ts': "import das from 'das';\nexport const one: number = das.params.one as number;\n",
  'lib/old.cjs':
    "const das = require('das');\nexports.job = () => das.job;\nexports.typed = require('./typed.cts').typed;\n",
  'lib/typed.cts': 'exports.typed = (n: number): string => `typed ${n}`;\n',
  'lib/late.mjs': 'export default 9;\n',
  'lib/breaks.ts':
    'interface A { a: number }\nexport function breaks(a: A): never {\n  throw new Error(`broken ${a.a}`);\n}\n',
  'data.json': '{"x":[1]}',
  'node_modules/packed/package.json': '{"name":"packed","version":"1.0.0","main":"index.js"}',
  'node_modules/packed/index.js': "exports.packed = 'packed';\n",
};

describe('a script with a folder of its own', () => {
  let folder: string;
  let harness: RuntimeHarness;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'das-modules-'));
    await chmod(folder, 0o755);
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), text);
    }
    harness = await benchHarness(new SystemClock(), newId, { runtime: new NodeRuntime(process.execPath) });
  });
  afterAll(async () => {
    await harness.close();
    await rm(folder, { recursive: true, force: true });
  });

  const loaded = async (filename: string, text: string) => {
    const { worker } = await harness.fresh();
    const job = { language: 'node', filename, text, folder, job: 'j', node: 'n', params: { one: 1 } } as const;
    return { worker, failure: await worker.load(job) };
  };
  const mapped = async (filename: string, text: string) => {
    const { worker, failure } = await loaded(filename, text);
    expect(failure).toBeUndefined();
    return runPart(worker, mapRange(0, 1));
  };

  it('imports modules, TypeScript, CommonJS, JSON and packages of it', async () => {
    const { lines, failures } = await mapped(
      'job.ts',
      `import { add } from './lib/add.ts';
import old, { job } from './lib/old.cjs';
import { packed } from 'packed';
import data from './data.json' with { type: 'json' };
import { readFileSync } from 'node:fs';
export const map = async (n: number) => [add(n), old.typed(n), job(), packed, data.x, (await import('./lib/late.mjs')).default,
  typeof readFileSync(new URL('./data.json', import.meta.url)), import.meta.filename.endsWith('/job.ts')];
`,
    );
    expect(failures).toEqual([]);
    expect(lines).toEqual([JSON.stringify([1, 'typed 0', 'j', 'packed', [1], 9, 'object', true])]);
  });

  it('requires CommonJS, TypeScript and packages of it', async () => {
    const { lines } = await mapped(
      'job.js',
      "const { typed } = require('./lib/typed.cts');\nmodule.exports = { map: (n) => [typed(n), require('packed').packed, require('./lib/old.cjs').job()] };\n",
    );
    expect(lines).toEqual(['["typed 0","packed","j"]']);
  });

  it('is told the lines of the file that broke', async () => {
    const { failures } = await mapped(
      'job.mjs',
      "import { breaks } from './lib/breaks.ts';\nexport const map = (a) => breaks({ a });\n",
    );
    expect(failures[0]?.traceback).toMatch(
      /^lib\/breaks\.ts:3\n {2}throw new Error[^]*Error: broken 0\n {4}at breaks \(lib\/breaks\.ts:3:9\)\n {4}at .*job\.mjs:2:/,
    );
  });

  it.each(['./lib/none.js', 'nowhere'])('is told that %s is not there, and what travels', async (specifier) => {
    const { failure } = await loaded('job.mjs', `import x from '${specifier}';\nexport const map = x;\n`);
    expect(failure?.message).toMatch(new RegExp(`^the script cannot be imported: .*Cannot find module '${specifier}'`));
    expect(failure?.hint).toContain('only the files of the bundle travel');
  });
});

describe('what is thrown beside the function that runs', () => {
  let harness: RuntimeHarness;
  beforeAll(async () => {
    harness = await benchHarness(new SystemClock(), newId, { runtime: new NodeRuntime(process.execPath) });
  });
  afterAll(() => harness.close());

  it('fails the item that is awaited, and no other', async () => {
    const { worker } = await harness.fresh();
    const text = `export async function map(n) {
  if (n === 1) setImmediate(() => { throw new Error('beside'); });
  if (n === 2) void Promise.reject(new Error('forgotten'));
  if (n === 3) setImmediate(() => process.exit(4));
  await new Promise((resolve) => setTimeout(resolve, n === 0 || n > 3 ? 1 : 1000));
  return n;
}
`;
    expect(
      await worker.load({ language: 'node', filename: 'job.mjs', text, job: 'j', node: 'n', params: {} }),
    ).toBeUndefined();
    const { lines, failures } = await runPart(worker, mapRange(0, 5));
    expect(lines).toEqual(['0', '4']);
    expect(failures.map(({ message }) => message)).toEqual([
      'Error: beside',
      'Error: forgotten',
      'called process.exit(4)',
    ]);
  });

  it('takes a heap that is full for the end of the process, at the item that filled it', async () => {
    const bench = await benchHarness(new SystemClock(), newId, {
      runtime: new NodeRuntime(process.execPath),
      limits: { memoryBytes: 64 * 1024 * 1024 },
    });
    try {
      const { worker, prints } = await bench.fresh();
      const text =
        'const kept = [];\nexports.map = (n) => { while (n === 2) kept.push(new Array(1e6).fill(n)); return n; };\n';
      await worker.load({ language: 'node', filename: 'job.js', text, job: 'j', node: 'n', params: {} });
      const { end } = await runPart(worker, mapRange(0, 3));
      expect(end).toMatchObject({ kind: 'gone', exit: { signal: 'SIGABRT' } });
      expect(worker.position().item).toBe(2);
      expect(prints()).toContain('JavaScript heap out of memory');
    } finally {
      await bench.close();
    }
  });
});
