import process from 'node:process';
import { SystemClock, newId } from '@das/platform';
import { runtimeContract } from '../ports/runtime.contract.js';
import type { RuntimeHarness } from '../testing/runtime-harness.js';
import { typedScripts } from '../testing/node-scripts.js';
import { benchHarness } from '../testing/bench-harness.js';
import { mapRange, runPart } from '../testing/runtime-parts.js';
import { NodeRuntime } from './node-runtime.js';

const start = () => benchHarness(new SystemClock(), newId, { runtime: new NodeRuntime(process.execPath) });

runtimeContract('TypeScript', start, typedScripts);

describe('TypeScript', () => {
  let harness: RuntimeHarness;
  beforeAll(async () => {
    harness = await start();
  });
  afterAll(() => harness.close());

  const code = (text: string, filename = 'job.ts') => ({ language: 'node', filename, text }) as const;
  const mapped = async (text: string, filename?: string) => {
    const { worker } = await harness.fresh();
    expect(await worker.load({ ...code(text, filename), job: 'j', node: 'n', params: {} })).toBeUndefined();
    return runPart(worker, mapRange(0, 2));
  };

  it('keeps lines and columns where types are only taken out', async () => {
    const { failures } = await mapped(
      'type T = {\n  a: number;\n};\nexport function map(item: T): number {\n  const x: T = item; throw new Error("bad");\n}\n',
    );
    expect(failures[0]?.traceback).toMatch(
      /^job\.ts:5\n  const x: T = item; throw new Error\("bad"\);\n {27}\^\nError: bad\n {4}at map \(job\.ts:5:28\)$/,
    );
  });

  it('leads back to the lines that were written where it must be rewritten: enums, namespaces, parameter properties', async () => {
    const text =
      'enum Color {\n  Red,\n  Green,\n}\nclass A { constructor(readonly color: Color) {} }\n\nexport function map(item: number): string {\n  if (item === 1) throw new Error(Color[new A(1).color]);\n  return Color[item];\n}\n';
    const { lines, failures } = await mapped(text);
    expect(lines).toEqual(['"Red"']);
    expect(failures[0]?.message).toBe('Error: Green');
    expect(failures[0]?.traceback).toMatch(/^job\.ts:8\n  if \(item === 1\)[^]* \(job\.ts:8:\d+\)$/);
  });

  it('is CommonJS where the name or the text says so', async () => {
    expect((await mapped('exports.map = (item: number): number => item + 1;\n', 'job.cts')).lines).toEqual(['1', '2']);
    expect(
      (await mapped('import os = require("node:os");\nexport = { map: (item: number) => typeof os.cpus };\n')).lines,
    ).toEqual(['"function"', '"function"']);
  });

  it.each([
    ['const a: = 1;\n', 1, 'const a: = 1;'],
    ['const ok = 1;\nexport function map(item: {\n  return 1;\n}\n', 3, '  return 1;'],
  ])('tells where its syntax breaks', async (text, line, shown) => {
    const { worker } = await harness.fresh();
    const { fault } = await worker.inspect(code(text));
    expect(fault).toMatchObject({ line, text: shown, message: expect.stringMatching(/^SyntaxError: /) });
  });
});
