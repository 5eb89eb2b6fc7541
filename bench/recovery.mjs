// How long a new leader takes to rebuild its state from the store. `node bench/recovery.mjs [--parts 100000] [--runs 5]`; figures go to
// bench/results/recovery.json. Real Postgres, NATS, results-store and leader; all of it is gone afterwards.
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { service as store } from '../apps/results-store/dist/index.js';
import { Office } from '../apps/job-splitter/dist/leader/office.js';
import { cancelJob, claimTerm, createJob, jobLimitsSchema, saveActs } from '../libs/contracts/dist/index.js';
import { defaultAssignerConfig, partIdOf } from '../libs/jobs/dist/index.js';
import { ServiceBusOver, connectNats } from '../libs/messaging/dist/index.js';
import { SystemClock, newId, startService } from '../libs/platform/dist/index.js';
import { Guardian, startNatsServer, startPostgres } from '../libs/supervisor/dist/index.js';
import { machine, median } from './lib/cluster.mjs';

const { values } = parseArgs({
  options: { parts: { type: 'string', default: '100000' }, runs: { type: 'string', default: '5' } },
});
const [parts, runs] = [Number(values.parts), Number(values.runs)];
/** Jobs that share the parts, and whether a node had them. */
const cases = [1, 100].flatMap((jobs) => ['pending', 'assigned'].map((state) => ({ jobs, state })));
/** As many acts as one save takes. */
const saveMax = 10_000;
const codeText = 'def map(item): return item\n';
const clock = new SystemClock();
const cleanUp = [];
process.stdout.on('error', () => void clean().then(() => process.exit(1)));
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void clean().then(() => process.exit(130)));

/** Whoever asks waits for all of it. */
let cleaning;
const clean = () => (cleaning ??= cleanInOrder());
async function cleanInOrder() {
  for (const step of cleanUp.splice(0).reverse()) await step();
}

/** The bus, the store over it, and who asks. */
async function start() {
  const home = await mkdtemp(join(tmpdir(), 'das-recovery-'));
  cleanUp.push(() => rm(home, { recursive: true, force: true }));
  const nats = await startNatsServer({ dir: join(home, 'nats'), jetstream: true });
  cleanUp.push(() => nats.stop());
  const postgres = await startPostgres({ dir: join(home, 'postgres') });
  cleanUp.push(() => postgres.stop());
  // A kill of this program, and a reader that goes away, leave no server behind.
  const guardian = new Guardian();
  guardian.watch([
    { pid: nats.pid ?? 0, signal: 'TERM' },
    { pid: postgres.pid, signal: 'INT' },
  ]);
  cleanUp.push(() => guardian.dismiss());
  const env = { DAS_NODE: 'node-1', DAS_NATS_URL: nats.url, DAS_NATS_TOKEN: nats.token, DAS_LOG_LEVEL: 'error' };
  const running = await startService(store, { ...env, DAS_DATABASE_URL: postgres.url });
  cleanUp.push(() => running.close());
  const connection = await connectNats({ url: nats.url, token: nats.token, name: 'bench' });
  cleanUp.push(() => connection.close());
  const bus = new ServiceBusOver(connection, { node: 'node-1', service: 'job-splitter' }, clock, newId);
  cleanUp.push(() => bus.close());
  return bus;
}

function specOf(job, items) {
  const functions = { split: false, map: true, combine: false, reduce: false, gather: false, main: false };
  const code = createHash('sha256').update(codeText).digest('hex');
  return {
    ...{ job, name: job, language: 'python', filename: 'job.py', code, functions, contact: 'node-1', network: false },
    ...{ input: { kind: 'range', from: 0, to: items }, params: {}, limits: jobLimitsSchema.parse({}) },
  };
}

/** Jobs of open parts of 10 items each, as a leader saves them. */
async function fill(bus, { jobs, state }, act, name) {
  const each = parts / jobs;
  for (let no = 0; no < jobs; no += 1) {
    const job = `${name}-${no}`;
    await bus.call(createJob, { spec: specOf(job, each * 10), codeText, items: each * 10 });
    for (let from = 0; from < each; from += saveMax / 2) {
      const some = Array.from({ length: Math.min(saveMax / 2, each - from) }, (_, i) => (from + i) * 10);
      const named = some.map((at) => ({
        job,
        generation: 1,
        part: partIdOf('map', at, at + 10, 0),
        kind: 'map',
        from: at,
        to: at + 10,
        tries: 0,
      }));
      const attempts = named.map(({ part }, i) => ({
        job,
        generation: 1,
        part,
        attempt: 1,
        node: `node-${(i % 5) + 1}`,
      }));
      await bus.call(saveActs, {
        ...{ act: act(), parts: named, cuts: [{ job, generation: 1, cut: some.at(-1) + 10 }], ended: [] },
        attempts: state === 'assigned' ? attempts : [],
      });
    }
  }
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');
const heap = () => (collect(), process.memoryUsage().heapUsed);

/** One new leader, from its first question until it knows every open part. */
async function recover(bus, term) {
  const asked = { calls: 0, parts: 0 };
  let done;
  const known = new Promise((resolve) => (done = resolve));
  const counting = Object.create(bus, {
    call: {
      value: async (operation, body, options) => {
        const answer = await bus.call(operation, body, options);
        asked.calls += 1;
        if (operation.name === 'store.load-parts') asked.parts += answer.body.parts.length;
        // Whoever waits for this answer takes it in first.
        if (asked.parts >= parts) setImmediate(done);
        return answer;
      },
    },
  });
  const log = { debug() {}, info() {}, warn: console.warn, error: console.error };
  const context = { bus: counting, clock, node: 'node-1', log, events: { append: async () => undefined } };
  const before = heap();
  const office = new Office(context, term, defaultAssignerConfig, Infinity, () => undefined);
  const [from, cpu] = [performance.now(), process.cpuUsage()];
  office.poll();
  await known;
  const ms = performance.now() - from;
  const { user, system } = process.cpuUsage(cpu);
  const heapBytes = heap() - before;
  office.close();
  if (asked.parts !== parts) throw new Error(`${asked.parts} parts were read instead of ${parts}`);
  return { ms, cpuMs: (user + system) / 1000, calls: asked.calls, heapBytes };
}

const report = { machine: machine(), parts, runs, cases: [] };
try {
  const bus = await start();
  let term = 0;
  for (const [no, one] of cases.entries()) {
    ({ term } = (await bus.call(claimTerm, { node: 'node-1', above: term })).body);
    let actSeq = 0;
    await fill(bus, one, () => ({ term, leader: 'node-1', actSeq: actSeq++ }), `case${no}`);
    const rounds = [];
    for (let run = 0; run < runs; run += 1) rounds.push(await recover(bus, term));
    for (let job = 0; job < one.jobs; job += 1) await bus.call(cancelJob, { job: `case${no}-${job}`, why: 'measured' });
    const row = {
      ...one,
      ms: median(rounds.map(({ ms }) => ms)),
      worstMs: Math.max(...rounds.map(({ ms }) => ms)),
      cpuMs: median(rounds.map(({ cpuMs }) => cpuMs)),
      calls: rounds[0].calls,
      // The first: later ones begin with what the one before has not given back.
      heapBytesPerPart: Math.round(rounds[0].heapBytes / parts),
      rawMs: rounds.map(({ ms }) => Math.round(ms)),
    };
    report.cases.push(row);
    console.log(
      `${parts} parts ${one.state} in ${one.jobs} job(s): ${row.ms.toFixed(0)} ms (worst ${row.worstMs.toFixed(0)}), ` +
        `CPU ${row.cpuMs.toFixed(0)} ms, ${row.calls} requests, ${row.heapBytesPerPart} heap bytes a part`,
    );
  }
} finally {
  await clean();
}
console.log(report.machine);
const results = join(import.meta.dirname, 'results');
await mkdir(results, { recursive: true });
await writeFile(join(results, 'recovery.json'), `${JSON.stringify(report, undefined, 1)}\n`);
