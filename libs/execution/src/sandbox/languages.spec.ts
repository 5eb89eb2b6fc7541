import process from 'node:process';
import { SystemClock, newId } from '@das/platform';
import { NodeRuntime } from '../node/node-runtime.js';
import { mapRange, runPart } from '../testing/runtime-parts.js';
import { births, workerBench } from '../testing/worker-bench.js';

describe('JavaScript', () => {
  // What an interpreter reads before it is one differs between languages: the probe of a layer tries Python only.
  it.each(births)(
    'runs in a worker by %s',
    async (how) => {
      const bench = await workerBench(new SystemClock(), newId, { how, runtime: new NodeRuntime(process.execPath) });
      try {
        const { runtime } = await bench.pool.acquire({ job: 'j', generation: 1 });
        const text = 'export const map = (item) => item * item';
        const script = { job: 'j', node: 'n', language: 'node', filename: 'j.js', text, params: {} } as const;
        expect(await runtime.load(script)).toBeUndefined();
        expect((await runPart(runtime, mapRange(2, 4))).lines).toEqual(['4', '9']);
      } finally {
        await bench.close();
      }
    },
    30_000,
  );
});
