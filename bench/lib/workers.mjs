// The workers of one node without the node: pools, sandbox and warden as the executor opens them; everything is gone afterwards, also after Ctrl-C.
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { executorConfig, placeLimitsOf } from '../../apps/executor/dist/config.js';
import { ScriptWorkers } from '../../apps/executor/dist/script-workers.js';
import { boundsOf } from '../../libs/execution/dist/index.js';
import { SystemClock, newId } from '../../libs/platform/dist/index.js';

const readyMsMax = 20_000;
/** Longer than the pools take to end surplus workers. */
const steadyMs = 1_200;

/** Opens the pools, calls `use`, ends every worker. */
export async function withWorkers({ slots }, use) {
  const home = await mkdtemp(join(tmpdir(), 'das-bench-'));
  const interrupted = new AbortController();
  const interrupt = () => interrupted.abort();
  const aborted = new Promise((_, reject) => {
    interrupted.signal.addEventListener('abort', () => reject(new Error('interrupted')), { once: true });
  });
  process.once('SIGINT', interrupt);
  process.once('SIGTERM', interrupt);
  let workers;
  try {
    const config = executorConfig.parse({ DAS_SLOTS: String(slots), DAS_HOME: home });
    const log = { info: () => undefined, warn: console.warn, error: console.error };
    const context = { clock: new SystemClock(), env: process.env, newId, log, node: 'bench' };
    workers = await ScriptWorkers.open(context, config, join(home, 'scratch'));
    return await Promise.race([use(new Jobs(workers, boundsOf({}, placeLimitsOf(config)))), aborted]);
  } finally {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
    await workers?.close();
    await rm(home, { recursive: true, force: true });
  }
}

/** Binds workers to jobs and runs parts, as an attempt does. */
class Jobs {
  #count = 0;

  constructor(workers, bounds) {
    this.sandbox = workers.sandbox.layer;
    this.pools = workers.pools;
    this.bounds = bounds;
  }

  name() {
    return `job-${(this.#count += 1)}`;
  }

  /** A worker that knows the script. */
  async bound({ language, filename, text }, job = this.name()) {
    const worker = await this.pools.acquire({ language, job, generation: 1 });
    await worker.limit(this.bounds);
    const script = { job, node: 'bench', language, filename, text, params: {}, limits: this.bounds };
    const failure = await worker.runtime.load(script);
    if (failure !== undefined) throw new Error(failure.message);
    worker.loaded = true;
    return worker;
  }

  /** Ends a worker for good; resolves when all of it is gone. */
  async end(worker) {
    worker.kill();
    await worker.gone;
  }

  /** Resolves once so many workers stand ready and none is bound: has it been so for long enough, none is surplus any more. */
  async rested(size) {
    const until = performance.now() + readyMsMax;
    for (let since = performance.now(); performance.now() - since < steadyMs; await pause(20)) {
      if (this.pools.size !== size) since = performance.now();
      if (performance.now() > until) throw new Error(`${this.pools.size} workers instead of ${size} are ready`);
    }
  }
}

const childrenOf = (pid) =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);

/** CPU time that a worker and this process have used so far (µs), however busy the machine is; Linux. */
export function cpuUs(worker) {
  const { pid } = worker.process;
  // In a room the process is that of the keeper, and the worker its child.
  const used = [pid, ...childrenOf(pid)].map((each) =>
    Number(readFileSync(`/proc/${each}/schedstat`, 'utf8').split(' ')[0]),
  );
  const { user, system } = process.cpuUsage();
  return used.reduce((sum, ns) => sum + ns, 0) / 1000 + user + system;
}

/** One part of items that lie in memory; resolves to its results. @throws Error unless there is one for each item. */
export async function runPart(worker, { count, raw }) {
  let page = { count, source: 0, raw };
  const next = async () => {
    const given = page;
    page = undefined;
    return given;
  };
  const results = [];
  let received = 0;
  const sink = {
    results: (items, lines) => {
      received += items;
      results.push(lines);
    },
    failed: (item, failure) => {
      throw new Error(`item ${item}: ${failure.message}`);
    },
  };
  const range = { from: 0, to: count };
  const work = { part: `map:0-${count}`, attempt: 1, kind: 'map', range, buckets: 0, items: { pages: next } };
  const end = await worker.runtime.run(work, sink);
  if (end.kind !== 'ended' || received !== count)
    throw new Error(`${received} of ${count} results: ${JSON.stringify(end)}`);
  return results;
}
