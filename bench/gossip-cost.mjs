// What membership costs when nothing happens: CPU time of each of five idle members (Linux).
// `node bench/gossip-cost.mjs [--seconds 60] [--nodes 5] [--profile cluster] [--out bench/results/gossip-cost.json]`
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { ourPeer } from '../e2e/src/interop/peer.mjs';
import { machine, median } from './lib/cluster.mjs';
import { gossipCluster } from './lib/gossip.mjs';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    nodes: { type: 'string', default: '5' },
    profile: { type: 'string', default: 'cluster' },
    out: { type: 'string', default: join(import.meta.dirname, 'results/gossip-cost.json') },
  },
});
/** Compilers and caches are warm, and what a join set in motion has settled. */
const settleMs = 10_000;
const percentMax = 0.5;
const tickMs = 10;
// As the membership service runs: encrypted, without user messages.
const secret = '5e'.repeat(32);

/** CPU time of a process and all its threads, ms. */
async function cpuMs({ child }) {
  const stat = await readFile(`/proc/${child.pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * tickMs;
}

const cluster = await gossipCluster(ourPeer(join(import.meta.dirname, '..')), {
  ...{ profile: values.profile, size: Number(values.nodes), key: secret, gossips: false },
});
try {
  await pause(settleMs);
  const began = performance.now();
  const before = await Promise.all(cluster.peers.map(cpuMs));
  await pause(Number(values.seconds) * 1_000);
  const after = await Promise.all(cluster.peers.map(cpuMs));
  const wallMs = performance.now() - began;
  const percent = after.map((ms, index) => Number((((ms - before[index]) / wallMs) * 100).toFixed(2)));
  const report = {
    machine: machine(),
    profile: values.profile,
    nodes: percent.length,
    wallMs: Math.round(wallMs),
    percent,
  };
  await mkdir(dirname(values.out), { recursive: true });
  await writeFile(values.out, `${JSON.stringify(report, undefined, 1)}\n`);
  console.log(
    `idle, encrypted: ${percent.join(', ')} % of a core; median ${median(percent)} %, at most ${percentMax} %`,
  );
  process.exitCode = median(percent) <= percentMax ? 0 : 1;
} finally {
  await cluster.stop();
}
