import type { Cluster } from './cluster.js';

/** Bounds of what a node may keep, by collection; `jobs` are those that are not over. */
interface Bound {
  readonly name: string;
  readonly max: number;
  readonly size: number;
}

/** Calls this often when nothing leaks; each is generous against the load of a simulation. */
const perJob = 400;
const few = 64;

/** @throws BrokenPromise when a state map has more than it may. */
export function checkBounds(cluster: Cluster): void {
  const jobs = cluster.clients.length + 1;
  for (const { name } of cluster.nodes) {
    for (const { name: what, size, max } of boundsOf(cluster, name, jobs))
      if (size > max)
        cluster.judge.fail('every state map is bounded', `${name}: ${what} has ${size} entries, at most ${max}`);
  }
}

/** The largest state map of all nodes, next to its bound. */
export function largestOf(cluster: Cluster): { readonly size: number; readonly text: string } {
  const jobs = cluster.clients.length + 1;
  const all = cluster.names.flatMap((name) => boundsOf(cluster, name, jobs));
  const [first] = all.sort((a, b) => b.size - a.size);
  return first === undefined
    ? { size: 0, text: 'nothing' }
    : { size: first.size, text: `${first.name} with ${first.size} of at most ${first.max}` };
}

function boundsOf(cluster: Cluster, name: string, jobs: number): Bound[] {
  const { members, election, splitter, executor } = cluster.node(name);
  const nodes = cluster.names.length;
  const bounds: Bound[] = [];
  const add = (what: string, size: number | undefined, max: number): void => {
    if (size !== undefined) bounds.push({ name: what, size, max });
  };
  const office = splitter?.office;
  add('office.queue', office?.queue.length, few + nodes * 100);
  add('office.polling', office?.polling?.length, jobs);
  add('assigner.nodes', office?.assigner.nodes.size, nodes);
  add('assigner.jobs', office?.assigner.jobs.size, jobs);
  add('assigner.stopping', office?.assigner.stopping.size, jobs);
  add('assigner.ending', office?.assigner.ending.length, jobs * perJob);
  add('assigner.resend', office?.assigner.resend.length, jobs * perJob);
  add('assigner.loads', office?.assigner.loads.size, jobs);
  add('assigner.drops', office?.assigner.drops.length, few);
  add('assigner.notes', office?.assigner.notes.length, few);
  for (const job of office?.assigner.jobs.values() ?? []) add('assigner parts of a job', job.parts.size, perJob);
  for (const node of office?.assigner.nodes.values() ?? []) {
    add('assigner attempts of a node', node.live.size, jobs * perJob);
    add('assigner strays of a node', node.strays.size, jobs * perJob);
  }
  add('executor.attempts', executor?.state.attempts.size, jobs * perJob);
  add('executor.ended', executor?.state.ended.length, 1_024);
  add('executor runs', executor?.runs.size, executor?.state.attempts.size ?? 0);
  add('gossip members', members?.node.table.size, nodes);
  add('gossip broadcasts', members?.node.queue.length, nodes * 2);
  add('gossip suspicions', members?.node.suspicions.size, nodes);
  add('gossip suspicion timers', members?.node.suspicionTimers.size, nodes);
  add('gossip relays', members?.node.relays.size, few);
  add('gossip pings', members?.node.pings.size, few);
  if (election !== undefined) add('the largest of election', largest(election.state), few);
  return bounds;
}

/** The size of the largest collection in a state. */
function largest(value: unknown): number {
  if (value instanceof Map || value instanceof Set) return Math.max(value.size, ...[...value.values()].map(largest));
  if (Array.isArray(value)) return Math.max(value.length, ...value.map(largest));
  if (typeof value !== 'object' || value === null) return 0;
  return Math.max(0, ...Object.values(value).map(largest));
}
