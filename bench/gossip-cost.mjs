// What membership costs when nothing happens: CPU time of the membership service of each of five idle nodes, one process per service,
// and of a member by itself, without a bus (Linux). `node bench/gossip-cost.mjs [--seconds 60] [--nodes 5] [--profile cluster] [--out …]`
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { ourPeer } from '../e2e/src/interop/peer.mjs';
import { machine, median, withCluster } from './lib/cluster.mjs';
import { gossipCluster } from './lib/gossip.mjs';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    nodes: { type: 'string', default: '5' },
    profile: { type: 'string', default: 'cluster' },
    out: { type: 'string', default: join(import.meta.dirname, 'results/gossip-cost.json') },
  },
});
const [seconds, nodes] = [Number(values.seconds), Number(values.nodes)];
/** Compilers and caches are warm, and what a join set in motion has settled. */
const settleMs = 15_000;
const percentMax = 0.5;
// As the membership service runs: encrypted, without user messages.
const secret = '5e'.repeat(32);

/** CPU time of a process, all its threads together, ms: the scheduler's own count, which is exact to the nanosecond. */
async function cpuMs(pid) {
  const threads = await readdir(`/proc/${pid}/task`);
  const spent = threads.map(
    async (thread) => (await readFile(`/proc/${pid}/task/${thread}/schedstat`, 'utf8')).split(' ')[0],
  );
  return (await Promise.all(spent)).reduce((sum, nanoseconds) => sum + Number(nanoseconds) / 1e6, 0);
}

/** Percent of a core that each process takes. */
async function percents(pids) {
  await pause(settleMs);
  const began = performance.now();
  const before = await Promise.all(pids.map(cpuMs));
  await pause(seconds * 1_000);
  const after = await Promise.all(pids.map(cpuMs));
  const wallMs = performance.now() - began;
  return after.map((ms, index) => Number((((ms - before[index]) / wallMs) * 100).toFixed(2)));
}

/** Processes of a service in the cluster whose nodes were given this mark. */
async function pidsOf(service, mark) {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = pids.map(async (pid) => {
    const environment = (await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')).split('\0');
    return environment.includes(mark) && environment.includes(`DAS_NODE_SERVICES=${service}`) ? [pid] : [];
  });
  return (await Promise.all(found)).flat();
}

async function ofMembers() {
  const options = { profile: values.profile, size: nodes, key: secret, gossips: false };
  const cluster = await gossipCluster(ourPeer(join(import.meta.dirname, '..')), options);
  try {
    return await percents(cluster.peers.map(({ child }) => child.pid));
  } finally {
    await cluster.stop();
  }
}

async function ofServices() {
  const mark = randomUUID();
  const nodeEnv = () => ({
    DAS_NODE_PROCESSES: 'split',
    DAS_GOSSIP_PROFILE: values.profile,
    DAS_BENCH_RUN: mark,
  });
  return withCluster({ nodes, slots: 1, nodeEnv }, async () => {
    const pids = await pidsOf('membership', `DAS_BENCH_RUN=${mark}`);
    if (pids.length !== nodes) throw new Error(`${pids.length} membership services run: expected ${nodes}`);
    return percents(pids);
  });
}

const report = {
  machine: machine(),
  profile: values.profile,
  nodes,
  seconds,
  member: await ofMembers(),
  service: await ofServices(),
};
await mkdir(dirname(values.out), { recursive: true });
await writeFile(values.out, `${JSON.stringify(report, undefined, 1)}\n`);
for (const what of ['member', 'service'])
  console.log(`${what}, idle, encrypted: ${report[what].join(', ')} % of a core; median ${median(report[what])} %`);
console.log(`the service at most ${percentMax} %`);
process.exitCode = median(report.service) <= percentMax ? 0 : 1;
