// How soon a killed member is declared dead, beside HashiCorp's memberlist.
// `node bench/detection.mjs [--trials 20] [--parallel 4] [--profiles lan,local,cluster] [--out bench/results/detection.json]`
// `--parallel`: clusters of each kind at once. They are nearly idle; 1 is the control that they do not disturb each other.
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { missingOriginal, originalPeer } from '../e2e/src/interop/original.mjs';
import { ourPeer } from '../e2e/src/interop/peer.mjs';
import { machine, median } from './lib/cluster.mjs';
import { detect, gossipCluster } from './lib/gossip.mjs';

const repository = join(import.meta.dirname, '..');
const { values } = parseArgs({
  options: {
    trials: { type: 'string', default: '20' },
    parallel: { type: 'string', default: '4' },
    profiles: { type: 'string', default: 'lan,local,cluster' },
    out: { type: 'string', default: join(import.meta.dirname, 'results/detection.json') },
  },
});
const [trials, parallel] = [Number(values.trials), Number(values.parallel)];
const size = 3;
/** Several probe rounds pass before a kill, whose moment is uniform in one more (ms). */
const settleMs = 2_500;
const phaseMs = 1_000;
/** What must hold: our median beside the original's, and the median of our own profile (ms). */
const ratioMin = 0.85;
const ratioMax = 1.15;
const clusterMsMax = 1_500;

/** One trial of each program at once, `count` times over; the kinds take turns in starting. */
async function round(programs, profile, count) {
  const started = [];
  try {
    for (let index = 0; index < count; index += 1) {
      for (const [kind, program] of programs) {
        started.push({ kind, cluster: await gossipCluster(program, { profile, size }) });
      }
    }
    await pause(settleMs);
    return await Promise.all(started.map(async ({ kind, cluster }) => ({ kind, ...(await detect(cluster, phaseMs)) })));
  } finally {
    await Promise.all(started.map(({ cluster }) => cluster.stop()));
  }
}

function summary(results) {
  const firstMs = results.map((result) => Math.round(result.firstMs));
  const lastMs = results.map((result) => Math.round(result.lastMs));
  const range = { minMs: Math.min(...firstMs), maxMs: Math.max(...firstMs) };
  return { medianMs: median(firstMs), medianLastMs: median(lastMs), ...range, firstMs, lastMs };
}

async function measure(programs, profile) {
  const results = [];
  for (let left = trials; left > 0; left -= parallel) {
    results.push(...(await round(programs, profile, Math.min(parallel, left))));
  }
  const of = (kind) => results.filter((result) => result.kind === kind);
  const row = { profile, ours: summary(of('ours')) };
  if (of('original').length > 0) {
    row.original = summary(of('original'));
    row.ratio = row.ours.medianMs / row.original.medianMs;
  }
  return row;
}

const seconds = (ms) => `${(ms / 1000).toFixed(2)} s`;
const words = ({ medianMs, minMs, maxMs }) => `${seconds(medianMs)} (${seconds(minMs)} to ${seconds(maxMs)})`;

const missing = missingOriginal();
if (missing !== undefined) console.error(`without the original: ${missing}`);
const ours = ['ours', ourPeer(repository)];
const both = missing === undefined ? [ours, ['original', await originalPeer(repository)]] : [ours];
const report = { machine: machine(), nodes: size, trials, parallel, rows: [] };
let good = true;
for (const profile of values.profiles.split(',')) {
  // The original has no such profile: there is nothing to compare with.
  const row = await measure(profile === 'cluster' ? [ours] : both, profile);
  report.rows.push(row);
  const beside = row.original ? `, original ${words(row.original)}, ratio ${row.ratio.toFixed(3)}` : '';
  console.log(`${profile.padEnd(7)} ours ${words(row.ours)}${beside}`);
  if (row.ratio !== undefined) good &&= row.ratio >= ratioMin && row.ratio <= ratioMax;
  if (profile === 'cluster') good &&= row.ours.medianMs <= clusterMsMax;
}
await mkdir(dirname(values.out), { recursive: true });
await writeFile(values.out, `${JSON.stringify(report, undefined, 1)}\n`);
if (!good) {
  console.error(
    `not as fast as it must be: ratio ${ratioMin} to ${ratioMax}, cluster at most ${seconds(clusterMsMax)}`,
  );
  process.exitCode = 1;
}
