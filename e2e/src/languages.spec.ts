import { readFileSync, readdirSync } from 'node:fs';
import { type TestCluster, testCluster, until } from './harness.js';

/** `echo` of libs/execution/src/testing/wasm-modules.ts, which has its text: copies its input. */
const echo =
  'AGFzbQEAAAABJAZgBH9/f38Bf2AEf39/fwF/YAF/AGACf38Bf2ADf39/AGAAAAKJAQQWd2FzaV9zbmFwc2hvdF9wcmV2aWV3MQdmZF9yZWFkAAAWd2FzaV9zbmFwc2hvdF9wcmV2aWV3MQhmZF93cml0ZQABFndhc2lfc25hcHNob3RfcHJldmlldzEJcHJvY19leGl0AAIWd2FzaV9zbmFwc2hvdF9wcmV2aWV3MQhhcmdzX2dldAADAwMCBAUFAwEAAgcTAgZtZW1vcnkCAAZfc3RhcnQABQpYAhsAQQAgATYCAEEEIAI2AgAgAEEAQQFBCBABGgs6AQF/A0BBAEGAgAQ2AgBBBEGAgAQ2AgBBAEEAQQFBCBAAGkEIKAIAIgAEQEEBQYCABCAAEAQMAQsLCwsBAA==';

const parsed = (results: string): unknown[] =>
  results
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);

/** A worker of ours that is at work: Node.js with the flag that only workers have, and more than started. */
function busyWorker(): number | undefined {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).find((pid) => {
    try {
      const [line] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('-e\0');
      return (
        line?.includes('--experimental-vm-modules') === true && readdirSync(`/proc/${pid}/cwd`).includes('e2e-busy')
      );
    } catch {
      return false;
    }
  });
}

describe('jobs in other languages', () => {
  let running: TestCluster;
  beforeAll(async () => {
    running = await testCluster({ nodes: 2 });
  });
  afterAll(() => running.stop());

  it('a JavaScript job loses nothing when its worker is killed in the middle', async () => {
    const text = `require('node:fs').writeFileSync('e2e-busy', '');
exports.map = async (n) => { await new Promise((done) => setTimeout(done, 20)); return n * 2; };`;
    const code = { filename: 'job.cjs', text };
    const job = await running.node(1).submit({ code, input: { range: [0, 200] }, itemsPerPart: 50 });
    const victim = await until('a worker runs it', async () => busyWorker());
    process.kill(victim, 'SIGKILL');
    expect(await running.ended(job.id)).toMatchObject({ state: 'succeeded', items: { committed: 200, failed: 0 } });
    expect(parsed(await running.node(2).results(job.id))).toEqual(Array.from({ length: 200 }, (_, n) => n * 2));
  });

  it('a TypeScript job splits, maps, reduces and gathers', async () => {
    const text = `enum Kind { Even, Odd }
export function* split(params: { count: number }) { for (let n = 0; n < params.count; n += 1) yield n; }
export const map = (n: number): [string, number][] => [[Kind[n % 2]!, n]];
export const reduce = (key: string, values: number[]): number => values.reduce((a, b) => a + b, 0);
export function* gather(results: Iterable<{ key: string; value: number }>) { for (const { key, value } of results) yield [key, value]; }`;
    const job = await running.node(2).submit({ code: { filename: 'job.ts', text }, params: { count: 1_000 } });
    expect(await running.ended(job.id)).toMatchObject({ state: 'succeeded' });
    expect(parsed(await running.node(1).results(job.id))).toEqual([
      ['Even', 249_500],
      ['Odd', 250_000],
    ]);
  });

  it('a WebAssembly module maps', async () => {
    const code = { filename: 'echo.wasm', text: echo };
    const job = await running.node(1).submit({ code, input: { range: [0, 1_000] } });
    expect(await running.ended(job.id)).toMatchObject({ state: 'succeeded' });
    expect(parsed(await running.node(2).results(job.id))).toEqual(Array.from({ length: 1_000 }, (_, n) => n));
  });
});
