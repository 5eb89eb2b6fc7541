import type { Clock } from '@das/kernel';
import type { RuntimeHarness } from './runtime-harness.js';
import { workerBench } from './worker-bench.js';

/** Real workers for a suite, each of a job of its own. */
export async function benchHarness(
  clock: Clock,
  newId: () => string,
  options: Parameters<typeof workerBench>[2],
  more: RuntimeHarness['more'] = {},
): Promise<RuntimeHarness> {
  const { pool, ...bench } = await workerBench(clock, newId, options);
  let jobs = 0;
  return {
    more,
    close: () => bench.close(),
    fresh: async () => {
      const worker = await pool.acquire({ job: `job-${(jobs += 1)}`, generation: 1 });
      let prints = '';
      worker.onPrint = (_stream, text) => (prints += text);
      return {
        worker: worker.runtime,
        prints: () => prints,
        kill: () => worker.kill(),
        cancel: async () => {
          await worker.cancel();
          return worker.process.exited;
        },
      };
    },
  };
}
