import type { ScriptJob } from '../ports/runtime.js';
import type { CommandSpec, ResourceLimits } from '@das/contracts';
import type { Clock } from '@das/kernel';
import { boundsOf, placeLimitsDefault } from '../core/bounds.js';
import type { PooledWorker } from '../pool/pooled-worker.js';
import { type Heard, mapRange, runPart } from './runtime-parts.js';
import { type Birth, workerBench } from './worker-bench.js';

/** Runs jobs of six items under limits, each by a worker of its own. */
export interface Limited {
  /** Items 0 to 5 of a new job. */
  ran(text: string, limits: ResourceLimits, command?: CommandSpec): Promise<Heard>;
  /** The worker of the last job. */
  readonly last: PooledWorker;
  close(): Promise<void>;
}

export async function limited(clock: Clock, newId: () => string, how: Birth): Promise<Limited> {
  const bench = await workerBench(clock, newId, { how });
  let jobs = 0;
  let last: PooledWorker | undefined;
  return {
    get last() {
      if (last === undefined) throw new Error('nothing has run yet');
      return last;
    },
    close: () => bench.close(),
    ran: async (text, resources, command) => {
      last = await bench.pool.acquire({ job: `job-${(jobs += 1)}`, generation: 1 });
      const limits = boundsOf(resources, placeLimitsDefault);
      await last.limit(limits);
      const language = command === undefined ? 'python' : 'command';
      const job: ScriptJob = { job: 'j', node: 'n', language, filename: 'job.py', text, params: {}, limits, command };
      const failure = await last.runtime.load(job);
      if (failure !== undefined) throw new Error(failure.message);
      return runPart(last.runtime, mapRange(0, 6));
    },
  };
}

/** A script that does something at item 3, and gives the item. */
export const at3 = (act: string): string =>
  `import os, subprocess, threading, time\ndef map(item):\n    if item == 3: ${act}\n    return item\n`;
/** The same as a command. */
export const shellAt3 = (act: string): string => `while read x; do if [ $x = 3 ]; then ${act}; fi; echo $x; done`;
export const plainCommand: CommandSpec = { run: 'shell', words: [], perItem: false, items: 'text', results: 'text' };
