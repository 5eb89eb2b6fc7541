// A cluster of its own for one measurement; everything is gone afterwards, also after Ctrl-C.
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { startCluster } from '../../libs/supervisor/dist/index.js';

/** Starts `nodes` nodes, calls `use`, stops them. */
export async function withCluster({ nodes, slots, program, nodeEnv, env = {} }, use) {
  const home = await mkdtemp(join(tmpdir(), 'das-bench-'));
  const interrupted = new AbortController();
  const interrupt = () => interrupted.abort();
  process.once('SIGINT', interrupt);
  process.once('SIGTERM', interrupt);
  let cluster;
  try {
    cluster = await startCluster({
      home,
      nodes: Array.from({ length: nodes }, (_, index) => `node-${index + 1}`),
      revive: false,
      signal: interrupted.signal,
      env: { ...process.env, DAS_SLOTS: String(slots), ...env },
      ...(program === undefined ? {} : { program }),
      ...(nodeEnv === undefined ? {} : { nodeEnv }),
    });
    const aborted = new Promise((_, reject) => {
      interrupted.signal.addEventListener('abort', () => reject(new Error('interrupted')), { once: true });
    });
    return await Promise.race([use(client(cluster), cluster), aborted]);
  } finally {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
    await cluster?.stop();
    await rm(home, { recursive: true, force: true });
  }
}

/** Talks to the first node by REST, as any program would. */
function client(cluster) {
  const headers = { authorization: `Bearer ${cluster.token}`, 'content-type': 'application/json' };
  const ask = async (path, init = {}) => {
    const response = await fetch(`${cluster.urls[0]}${path}`, { ...init, headers });
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
    return response;
  };
  return {
    ask,
    /** Wall time from submit to the last byte of the result (ms), with that result. */
    async timed(submission) {
      const from = performance.now();
      const job = await (await ask('/v1/jobs?wait=300s', { method: 'POST', body: JSON.stringify(submission) })).json();
      if (job.state !== 'succeeded') throw new Error(`job ${job.state}: ${JSON.stringify(job.failure)}`);
      const result = await (await ask(`/v1/jobs/${job.id}/results`)).text();
      return { job, result, wallMs: performance.now() - from };
    },
  };
}

export const median = (values) => quantile(values, 0.5);
export function quantile(values, q) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
}

/** What the figures were measured on. */
export const machine = () => ({
  cores: cpus().length,
  model: cpus()[0]?.model ?? 'unknown',
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  node: process.version,
  date: new Date().toISOString(),
});

/** A script whose items burn this much CPU time of their own thread: the clock of the machine drifts, CPU time does not. */
export const spin = (ms) =>
  ms === 0
    ? 'def map(item):\n    return item\n'
    : `import time\nclock = time.thread_time\ndef map(item):\n    end = clock() + ${ms / 1000}\n    while clock() < end:\n        pass\n    return item\n`;
