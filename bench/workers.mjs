// What a warm worker in its sandbox costs beside `map` itself: per part, per item, for a job's first part, and a trivial job by REST.
// `node bench/workers.mjs [--rounds 5] [--jobs 60]`; figures go to bench/results/workers.json; exit code 1 when a bound is missed.
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { machine, median, quantile, spin, withCluster } from './lib/cluster.mjs';
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
const restMsMax = 100_000;
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

/** A trivial job, one after the other, on a node with the sandbox and on one without in turns. */
async function measureRest() {
  const trivial = { code: { text: spin(0) }, input: { items: [1] } };
  const block = 20;
  const raw = { auto: [], none: [] };
  const cluster = (sandbox, use) => withCluster({ nodes: 1, slots, env: { DAS_SANDBOX: sandbox } }, use);
  await cluster('auto', (auto) =>
    cluster('none', async (none) => {
      const nodes = { auto, none };
      for (let job = 0; job < 20; job += 1) for (const das of [auto, none]) await das.once(trivial);
      for (let done = 0; done < jobs && (done === 0 || performance.now() < restMsMax); done += block) {
        for (const [name, das] of Object.entries(nodes)) {
          for (let job = 0; job < block; job += 1) {
            const { result, wallMs } = await das.once(trivial);
            if (result !== '1\n') throw new Error(`wrong result: ${result}`);
            raw[name].push(wallMs);
          }
        }
      }
    }),
  );
  return raw;
}

const workers = await withWorkers({ slots }, measureWorkers);
const rest = await measureRest();

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
const latency = Object.fromEntries(
  Object.entries(rest).map(([name, list]) => [
    name,
    { jobs: list.length, p50: quantile(list, 0.5), p95: quantile(list, 0.95) },
  ]),
);
const bounds = [
  ['part, Python (ms)', figures.python.partMs, 1],
  ['part, JavaScript (ms)', figures.node.partMs, 1],
  ['item, Python (µs)', figures.python.itemUs, 3],
  ['first part, Python (ms)', firsts.python.freshMs, 50],
  ['first part, Python, no fresh worker (ms)', firsts.python.coldMs, 50],
  ['trivial job by REST, p50 (ms)', latency.auto.p50, 12],
].map(([what, measured, bound]) => ({ what, measured, bound, kept: measured <= bound }));

for (const [name, { partMs, itemUs }] of Object.entries(figures))
  console.log(`${name.padEnd(9)} ${partMs.toFixed(3)} ms a part, ${itemUs.toFixed(2)} µs an item`);
for (const [name, { partMs, itemUs, itemCpuUs }] of Object.entries(best))
  console.log(
    `${name}, best round: ${partMs.toFixed(3)} ms a part, ${itemUs.toFixed(2)} µs an item; CPU ${itemCpuUs.toFixed(2)} µs an item`,
  );
for (const [name, { partOfPoolJson, itemOfPoolJson, itemOfPoolPlain }] of Object.entries(ratios))
  console.log(
    `${name}: ${partOfPoolJson.toFixed(2)} times as long as Pool per part; per item ${itemOfPoolJson.toFixed(2)} with JSON, ${itemOfPoolPlain.toFixed(2)} without`,
  );
for (const [name, { freshMs, coldMs }] of Object.entries(firsts))
  console.log(`${name}: first part after ${freshMs.toFixed(1)} ms, with no fresh worker left ${coldMs.toFixed(1)} ms`);
for (const [name, { p50, p95 }] of Object.entries(latency))
  console.log(`trivial job by REST, sandbox ${name}: p50 ${p50.toFixed(1)} ms, p95 ${p95.toFixed(1)} ms`);
for (const { what, measured, bound, kept } of bounds)
  console.log(`${kept ? 'kept  ' : 'MISSED'} ${what}: ${measured.toFixed(2)} of ${bound}`);

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
