// What a warm worker in its sandbox costs beside `map` itself: per part, per item, for a job's first part, and a trivial job by REST.
// `node bench/workers.mjs [--rounds 5] [--jobs 60]`; figures go to bench/results/workers.json; exit code 1 when a bound is missed.
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { machine, median, quantile } from './lib/cluster.mjs';
import { latencyOf, measureRest } from './lib/rest-latency.mjs';
import { tell } from './lib/workers-report.mjs';
import { cpuUs, runPart, withWorkers } from './lib/workers.mjs';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    jobs: { type: 'string', default: '60' },
  },
});
const rounds = Number(values.rounds);
const jobs = Number(values.jobs);
const slots = 2;
const parts = 200;
/** Items of a large part: 1 MB, what the executor hands over at a time. */
const chunk = 10_000;
const chunks = 10;
/** On a machine so busy that rounds take long, fewer are made. */
const roundsMin = 3;
const workersMsMax = 50_000;
const run = promisify(execFile);
const peer = join(import.meta.dirname, 'lib/pool_items.py');

const scripts = {
  python: { language: 'python', filename: 'job.py', text: 'def map(item):\n    return item\n' },
  node: { language: 'node', filename: 'job.mjs', text: 'export const map = (item) => item;\n' },
};

/** As the peer makes them: 100 bytes each. */
function item(n) {
  const pad = 'x'.repeat(100 - '{"n": , "pad": ""}'.length - String(n).length);
  return `{"n": ${n}, "pad": "${pad}"}\n`;
}
const items = Array.from({ length: chunk }, (_, n) => item(n));
const large = { count: chunk, raw: Buffer.from(items.join('')) };
const small = { count: 1, raw: Buffer.from(items[0]) };

function check(results, { raw }) {
  const values = (bytes) =>
    bytes
      .toString()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.stringify(JSON.parse(line)));
  const [given, expected] = [Buffer.concat(results), raw].map(values);
  if (given.length !== expected.length || given.some((line, n) => line !== expected[n]))
    throw new Error('wrong results');
}

async function timed(act) {
  const from = performance.now();
  await act();
  return performance.now() - from;
}

/** Of a worker that is bound and warm. */
async function warm(the, script) {
  const worker = await the.bound(script);
  check(await runPart(worker, large), large);
  const each = [];
  for (let part = 0; part < parts; part += 1) each.push(await timed(() => runPart(worker, small)));
  const before = cpuUs(worker);
  const wall = await timed(async () => {
    for (let part = 0; part < chunks; part += 1) await runPart(worker, large);
  });
  const itemCpuUs = (cpuUs(worker) - before) / chunks / chunk;
  await the.end(worker);
  return { itemCpuUs, partMs: median(each), partP95Ms: quantile(each, 0.95), itemUs: (wall / chunks / chunk) * 1000 };
}

/** From the assignment of a job's first part to its result; `taken`: fresh workers that others took just before. */
async function first(the, script, taken) {
  await the.rested(slots * 2);
  const others = await Promise.all(
    Array.from({ length: taken }, () =>
      the.pools.acquire({ language: script.language, job: the.name(), generation: 1 }),
    ),
  );
  let worker;
  const wallMs = await timed(async () => {
    worker = await the.bound(script);
    await runPart(worker, small);
  });
  await Promise.all([worker, ...others].map((each) => the.end(each)));
  return wallMs;
}

/** Each language, fresh and with the fresh workers used up, in turns with the peer. */
async function measureWorkers(the) {
  const raw = { sandbox: the.sandbox, warm: { python: [], node: [] }, pool: [], first: [] };
  for (const script of Object.values(scripts)) await the.end(await the.bound(script));
  for (let round = 0; round < rounds; round += 1) {
    if (round >= roundsMin && performance.now() > workersMsMax) break;
    for (const name of round % 2 === 0 ? ['python', 'node'] : ['node', 'python']) {
      raw.warm[name].push(await warm(the, scripts[name]));
    }
    const { stdout } = await run('/usr/bin/python3', [peer, parts, chunk, chunks].map(String));
    raw.pool.push(JSON.parse(stdout));
    const taken = {};
    for (const [name, script] of Object.entries(scripts)) {
      taken[name] = { freshMs: await first(the, script, 0), coldMs: await first(the, script, slots) };
    }
    raw.first.push(taken);
  }
  return raw;
}

const workers = await withWorkers({ slots }, measureWorkers);
const rest = await measureRest({ jobs, slots });

/** Beside the median: the round in which the fewest others wanted the cores, and CPU time of both processes, which no load changes much. */
const least = (list, pick) => Math.min(...list.map(pick));
const over = (list, pick) => median(list.map(pick));
const { python, node } = workers.warm;
const figures = {
  python: { partMs: over(python, ({ partMs }) => partMs), itemUs: over(python, ({ itemUs }) => itemUs) },
  node: { partMs: over(node, ({ partMs }) => partMs), itemUs: over(node, ({ itemUs }) => itemUs) },
  poolPlain: {
    partMs: over(workers.pool, ({ plain }) => plain.partMs),
    itemUs: over(workers.pool, ({ plain }) => plain.itemUs),
  },
  poolJson: {
    partMs: over(workers.pool, ({ json }) => json.partMs),
    itemUs: over(workers.pool, ({ json }) => json.itemUs),
  },
};
const best = Object.fromEntries(
  Object.entries(workers.warm).map(([name, list]) => [
    name,
    {
      partMs: least(list, ({ partMs }) => partMs),
      itemUs: least(list, ({ itemUs }) => itemUs),
      itemCpuUs: over(list, ({ itemCpuUs }) => itemCpuUs),
    },
  ]),
);
const ratio = (list, field, kind) => median(list.map((one, n) => one[field] / workers.pool[n][kind][field]));
const ratios = Object.fromEntries(
  Object.entries(workers.warm).map(([name, list]) => [
    name,
    {
      partOfPoolJson: ratio(list, 'partMs', 'json'),
      itemOfPoolJson: ratio(list, 'itemUs', 'json'),
      itemOfPoolPlain: ratio(list, 'itemUs', 'plain'),
    },
  ]),
);
const firsts = Object.fromEntries(
  Object.keys(scripts).map((name) => [
    name,
    {
      freshMs: over(workers.first, (one) => one[name].freshMs),
      coldMs: over(workers.first, (one) => one[name].coldMs),
    },
  ]),
);
const latency = latencyOf(rest);
const bounds = [
  ['part, Python (ms)', figures.python.partMs, 1],
  ['part, JavaScript (ms)', figures.node.partMs, 1],
  ['item, Python (µs)', figures.python.itemUs, 3],
  ['first part, Python (ms)', firsts.python.freshMs, 50],
  ['first part, Python, no fresh worker (ms)', firsts.python.coldMs, 50],
  ['trivial job by REST, p50 (ms)', latency.apart.auto.p50, 12],
].map(([what, measured, bound]) => ({ what, measured, bound, kept: measured <= bound }));

tell({ figures, best, ratios, firsts, latency, bounds });

const results = join(import.meta.dirname, 'results');
await mkdir(results, { recursive: true });
const report = {
  machine: { ...machine(), load: loadavg()[0] },
  ...{
    rounds: workers.pool.length,
    parts,
    chunk,
    chunks,
    sandbox: workers.sandbox,
    figures,
    best,
    ratios,
    firsts,
    latency,
    bounds,
  },
  raw: { workers, rest },
};
await writeFile(join(results, 'workers.json'), `${JSON.stringify(report, undefined, 1)}\n`);
if (bounds.some(({ kept }) => !kept)) process.exitCode = 1;
