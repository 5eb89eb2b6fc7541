// Whether anybody who lives is declared dead: five members, all cores busy, packets lost. Needs root (a network namespace of its own).
// `node bench/false-deaths.mjs [--minutes 10] [--nodes 5] [--loss 5] [--busy 2] [--profile cluster] [--out bench/results/false-deaths.json]`
import { mkdir, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { LineProcess } from '../e2e/src/interop/line-process.mjs';
import { missingNetwork } from '../e2e/src/interop/original.mjs';
import { OwnNetwork } from '../e2e/src/interop/own-network.mjs';
import { ourPeer } from '../e2e/src/interop/peer.mjs';
import { machine } from './lib/cluster.mjs';
import { detect, gossipCluster } from './lib/gossip.mjs';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    nodes: { type: 'string', default: '5' },
    loss: { type: 'string', default: '5' },
    busy: { type: 'string', default: String(cpus().length) },
    profile: { type: 'string', default: 'cluster' },
    out: { type: 'string', default: join(import.meta.dirname, 'results/false-deaths.json') },
  },
});
const [size, loss, busy] = [values.nodes, values.loss, values.busy].map(Number);
const watchedMs = Number(values.minutes) * 60_000;
/** A busy loop ends by itself some time after the run, whatever happens to us. */
const loopMs = watchedMs + 60_000;

const missing = missingNetwork();
if (missing !== undefined) {
  console.error(`error: ${missing}`);
  process.exit(2);
}

const loop = `const end = Date.now() + ${loopMs}; while (Date.now() < end);`;
const loops = Array.from({ length: busy }, (_, index) => {
  return new LineProcess(`loop ${index}`, [process.execPath, '-e', loop], () => undefined);
});
const network = await OwnNetwork.open();
const program = network.inside(ourPeer(join(import.meta.dirname, '..')));
const cluster = await gossipCluster(program, { profile: values.profile, size });
try {
  await network.lose(loss);
  await watch(cluster.peers);
  const told = (kind) => cluster.peers.flatMap((peer) => peer.told([kind]));
  const noted = (code) => told('log').filter(({ text }) => text.startsWith(`${code}: `)).length;
  const report = {
    ...{ machine: machine(), profile: values.profile, minutes: Number(values.minutes), nodes: size, loss, busy },
    ...{ packetsLost: await network.lost(), probesFailed: noted('probeFailed'), pauses: noted('paused') },
    ...{ refutations: noted('refuted'), suspicions: told('suspect').length, falseDeaths: told('leave').length },
  };
  // Under the same load and loss: a detector that never accuses anybody would pass all of the above.
  if (report.falseDeaths === 0) report.killed = await detect(cluster, 0);
  await mkdir(dirname(values.out), { recursive: true });
  await writeFile(values.out, `${JSON.stringify(report, undefined, 1)}\n`);
  console.log(JSON.stringify(report));
  process.exitCode = report.falseDeaths === 0 ? 0 : 1;
} finally {
  await Promise.all([cluster.stop(), network.close(), ...loops.map((process_) => process_.kill())]);
}

/** Resolves when time is over. A false death does not end the watch: how many there are is the figure. */
async function watch(peers) {
  const end = Date.now() + watchedMs;
  const reports = peers.map(async (peer) => {
    for (let from = 0; Date.now() < end; from = peer.mark) {
      const limitMs = Math.max(1, end - Date.now());
      const death = await peer
        .until('a death', ({ event }) => event === 'leave', { from, limitMs })
        .catch(() => undefined);
      if (death !== undefined) console.error(`${peer.name} declared ${death.node} dead`);
      if (peer.over !== undefined) throw new Error(`${peer.name} ${peer.over}`);
    }
  });
  await Promise.all(reports);
}
