// Speed-up on N = 1..5 equal nodes: das-quality, from submit to the last byte of the result, split and gather included.
// Each node, services and workers together, has a CPU quota of 0.3 of a core (cgroup v1; needs root).
// `node bench/speedup.mjs [--rounds 3] [--items 1200] [--cpu-ms 15]`; figures go to bench/results/speedup.json
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { machine, median, withCluster } from './lib/cluster.mjs';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    items: { type: 'string', default: '1200' },
    'cpu-ms': { type: 'string', default: '15' },
    nodes: { type: 'string', default: '1,2,3,4,5' },
  },
});
const counts = values.nodes.split(',').map(Number);
const cpuMs = Number(values['cpu-ms']);
const quota = 0.3;
const periodUs = 20_000;
const root = '/sys/fs/cgroup/cpu/das-bench';
const repository = join(import.meta.dirname, '..');

function group(index) {
  const path = `${root}/node-${index}`;
  mkdirSync(path, { recursive: true });
  writeFileSync(`${path}/cpu.cfs_period_us`, String(periodUs));
  writeFileSync(`${path}/cpu.cfs_quota_us`, String(periodUs * quota));
  return path;
}

function makeGroups() {
  mkdirSync(root, { recursive: true });
  // Otherwise the whole family competes as one task with every other process.
  writeFileSync(`${root}/cpu.shares`, '262144');
  return Array.from({ length: Math.max(...counts) }, (_, index) => group(index + 1));
}
function removeGroups() {
  for (let index = 1; index <= Math.max(...counts); index += 1) rmdirSync(`${root}/node-${index}`);
  rmdirSync(root);
}

/** The remote server that the job asks once: its own process, outside the groups. */
async function dasServer() {
  const program = join(repository, 'examples/das-server/dist/main.js');
  const child = spawn(process.execPath, [program, '--port', '0', '--generate', values.items], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  // After a Ctrl-C it may have ended before us.
  const exited = once(child, 'exit');
  const stop = async () => {
    child.kill('SIGTERM');
    await exited;
  };
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /http:\/\/[\d.]+:\d+/.exec(line)?.[0];
    if (url) return { url, stop };
  }
  throw new Error('the DAS server did not start');
}

const code = {
  text: readFileSync(join(repository, 'examples/das-quality/das_quality.py'), 'utf8'),
  filename: 'das_quality.py',
};
const raw = new Map(counts.map((count) => [count, []]));
makeGroups();
const server = await dasServer();
try {
  for (let round = 1; round <= Number(values.rounds); round += 1) {
    for (const count of counts) {
      const nodeEnv = (name) => ({ DAS_BENCH_CGROUP: `${root}/${name}` });
      const options = { nodes: count, slots: 1, nodeEnv, program: join(import.meta.dirname, 'lib/limited-node.mjs') };
      const measured = await withCluster(options, async (das) => {
        const submission = { code, params: { url: server.url, cpu_ms: cpuMs }, network: true, timeoutMs: 60_000 };
        const { job, wallMs } = await das.timed(submission);
        return { wallMs, items: job.items.total };
      });
      raw.get(count).push(measured);
      console.log(`round ${round}, N = ${count}: ${(measured.wallMs / 1000).toFixed(1)} s for ${measured.items} items`);
    }
  }
} finally {
  await server.stop();
  removeGroups();
}

const base = median(raw.get(counts[0]).map(({ wallMs }) => wallMs));
const speedup = counts.map((nodes) => {
  const wallMs = median(raw.get(nodes).map((one) => one.wallMs));
  return { nodes, wallMs, speedup: base / wallMs, efficiency: base / wallMs / nodes };
});
for (const { nodes, wallMs, speedup: times, efficiency } of speedup) {
  console.log(
    `N = ${nodes}: ${(wallMs / 1000).toFixed(1)} s, ${times.toFixed(2)} times as fast, ${(efficiency * 100).toFixed(0)} % of N`,
  );
}
const results = join(import.meta.dirname, 'results');
await mkdir(results, { recursive: true });
const report = {
  machine: machine(),
  quota,
  periodUs,
  cpuMs,
  rounds: Number(values.rounds),
  speedup,
  raw: Object.fromEntries(raw),
};
await writeFile(join(results, 'speedup.json'), `${JSON.stringify(report, undefined, 1)}\n`);
