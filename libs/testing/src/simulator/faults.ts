import type { Cluster } from './cluster.js';
import type { SimNode } from './sim-node.js';
import { hardy } from './workload.js';

/** What may go wrong, each with its end, so that none lasts for ever by chance alone. `node` and `other` are drawn, and may be the same. */
type Fault = (cluster: Cluster, node: SimNode, other: SimNode) => void;

const later = (cluster: Cluster, maxMs: number, run: () => void, minMs = 20): void =>
  cluster.time.after(minMs + cluster.rng() * maxMs, run);

/** The leader, where there is one: faults that miss it prove little. */
function leader(cluster: Cluster, otherwise: SimNode): SimNode {
  return cluster.nodes.find(({ splitter }) => splitter?.office !== undefined) ?? otherwise;
}

function crash(cluster: Cluster, node: SimNode, downMaxMs: number): void {
  node.crash();
  later(cluster, downMaxMs, () => node.start());
}

/** Ways of the bus and of gossip fail together or apart. */
function cut(cluster: Cluster, from: string, to: string, both: boolean): void {
  const dice = cluster.rng();
  const planes = dice < 0.4 ? [cluster.bus.links, cluster.gossip] : [dice < 0.7 ? cluster.bus.links : cluster.gossip];
  for (const links of planes) {
    if (both) links.cut(from, to);
    else links.cutOneWay(from, to);
  }
}

export const faults: Readonly<Record<string, Fault>> = {
  crash: (cluster, node) => crash(cluster, node, 5_000),
  'leader crash': (cluster, node) => crash(cluster, leader(cluster, node), 4_000),
  /** Back before anyone noticed. */
  'quick restart': (cluster, node) => crash(cluster, node, 80),
  stop: (cluster, node) => {
    node.stop(cluster.rng() * 3_000);
  },
  'executor restart': (_, node) => {
    if (!node.stopping) node.startExecutor();
  },
  'splitter restart': (cluster, node) => {
    const chosen = cluster.rng() < 0.5 ? leader(cluster, node) : node;
    if (!chosen.stopping) chosen.startSplitter();
  },
  pause: (cluster, node) => {
    node.pause();
    later(cluster, 6_000, () => node.resume());
  },
  'leader pause': (cluster, node) => {
    const chosen = leader(cluster, node);
    chosen.pause();
    later(cluster, 6_000, () => chosen.resume());
  },
  slow: (cluster, { machine }) => {
    machine.slowMs = 20 + cluster.rng() * 700;
    later(cluster, 4_000, () => (machine.slowMs = 0));
  },
  cut: (cluster, node, other) => cut(cluster, node.name, other.name, true),
  'one-way cut': (cluster, node, other) => cut(cluster, node.name, other.name, false),
  isolation: (cluster, node) => {
    for (const { name } of cluster.nodes) cut(cluster, node.name, name, true);
    cut(cluster, node.name, 'store', cluster.rng() < 0.5);
  },
  'cut from the store': (cluster, node) => cluster.bus.links.cutOneWay(node.name, 'store'),
  'answers of the store cut': (cluster, node) => cluster.bus.links.cutOneWay('store', node.name),
  heal: (cluster) => {
    cluster.bus.links.heal();
    cluster.gossip.heal();
  },
  'store outage': (cluster) => {
    cluster.say(() => 'the store is away');
    cluster.store.away = true;
    later(cluster, 4_000, () => (cluster.store.away = false));
  },
  'lost answers': (cluster) => {
    cluster.store.deafness = 0.5;
    later(cluster, 2_500, () => (cluster.store.deafness = 0));
  },
  'bus outage': (cluster) => {
    cluster.say(() => 'the bus is away');
    cluster.bus.away = true;
    for (const node of cluster.nodes) node.noticeBus();
    later(cluster, 4_500, () => {
      cluster.bus.away = false;
      for (const node of cluster.nodes) node.noticeBus();
    });
  },
  'connection lost': (cluster, node) => {
    const chosen = cluster.rng() < 0.3 ? leader(cluster, node) : node;
    chosen.connect(false);
    later(cluster, 4_500, () => chosen.connect(true));
  },
  'worker crash': (_, { executor }) => {
    for (const run of executor?.runs.values() ?? []) if (hardy(run.plan)) return run.crash();
  },
  'false news': (cluster, node, other) => node.splitter?.nodeLost(other.name, 'somebody says so'),
  'bucket outage': (cluster) => {
    cluster.kv.away = true;
    later(cluster, 6_000, () => (cluster.kv.away = false));
  },
};
const kinds = Object.keys(faults);

/** Draws faults, one after the other, until the storm is over. Returns how many of each kind there were, as they come. */
export function blow(cluster: Cluster, everyMs: number, untilMs: number): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  const next = (): void => {
    if (cluster.time.now > untilMs) return;
    const kind = pick(cluster, kinds);
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
    const [node, other] = [pick(cluster, cluster.nodes), pick(cluster, cluster.nodes)];
    cluster.say(() => `fault: ${kind} (${node.name}, ${other.name})`);
    faults[kind]?.(cluster, node, other);
    later(cluster, everyMs * 2, next, 30);
  };
  later(cluster, 3_000, next);
  return counts;
}

function pick<T>(cluster: Cluster, list: readonly T[]): T {
  return list[Math.floor(cluster.rng() * list.length)] as T;
}

/** All that went wrong is over: everyone is there and hears everyone. */
export function calm(cluster: Cluster): void {
  cluster.say(() => '── calm');
  for (const links of [cluster.bus.links, cluster.gossip]) {
    links.heal();
    links.loss = 0;
  }
  const busWasAway = cluster.bus.away;
  cluster.store.away = cluster.bus.away = cluster.kv.away = false;
  cluster.store.deafness = 0;
  for (const node of cluster.nodes) {
    node.machine.slowMs = 0;
    node.resume();
    node.start();
    if (busWasAway) node.noticeBus();
    node.connect(true);
  }
}
