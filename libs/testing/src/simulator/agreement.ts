import type { Client } from './client.js';
import type { Cluster } from './cluster.js';
import { sequentialResult } from './sequential.js';
import { linesOf, textOf } from './script.js';

/* What has to hold once it has been calm for a while. */

/** Why the cluster has not come to rest, in words; nothing when it has. */
export function unrest(cluster: Cluster): string | undefined {
  const open = cluster.clients.find(({ state }) => state === undefined);
  if (open !== undefined) return `${open.plan.spec.job} has not ended for its user (${stateOf(cluster, open)})`;
  return noOneLeader(cluster) ?? membersDiffer(cluster) ?? leftOver(cluster);
}

const stateOf = (cluster: Cluster, { plan }: Client): string => {
  const job = cluster.store.data.jobs.get(plan.spec.job);
  return job === undefined ? 'not stored' : `${job.state}, ${job.cut} of ${job.items} items cut`;
};

function noOneLeader(cluster: Cluster): string | undefined {
  const down = cluster.nodes.find(({ runs }) => !runs);
  if (down !== undefined) return `${down.name} is not up`;
  const acting = cluster.nodes.filter(({ election }) => election?.acts() === true);
  const [leader] = acting;
  if (leader === undefined || acting.length > 1)
    return `${acting.map(({ name }) => name).join(' and ') || 'nobody'} leads`;
  if (leader.splitter?.office?.term !== cluster.judge.term)
    return `${leader.name} has no office of term ${cluster.judge.term}`;
  for (const { name, election, splitter } of cluster.nodes) {
    if (election?.leader() !== leader.name)
      return `${name} sees ${election?.leader() ?? 'nobody'} lead, not ${leader.name}`;
    if (election.state.term !== cluster.judge.term) return `${name} knows term ${election.state.term}`;
    if (splitter?.office !== undefined && name !== leader.name) return `${name} has an office, too`;
  }
  return undefined;
}

function membersDiffer(cluster: Cluster): string | undefined {
  const all = [...cluster.names].sort().join();
  const other = cluster.nodes.find(({ members }) => members?.present.join() !== all);
  return other === undefined ? undefined : `${other.name} counts ${other.members?.present.join()} as members`;
}

function leftOver(cluster: Cluster): string | undefined {
  const busy = cluster.nodes.find(({ executor }) => (executor?.state.attempts.size ?? 0) > 0);
  if (busy !== undefined) return `${busy.name} still holds ${[...(busy.executor?.state.attempts.keys() ?? [])].join()}`;
  const office = cluster.nodes.find(({ splitter }) => splitter?.office !== undefined)?.splitter?.office;
  const jobs = [...(office?.assigner.jobs.keys() ?? []), ...(office?.assigner.stopping.keys() ?? [])];
  return jobs.length > 0 ? `the leader still knows ${jobs.join()}` : undefined;
}

/** Each user has what a sequential run gives. */
export function checkResults(cluster: Cluster): void {
  for (const client of cluster.clients) checkResult(cluster, client);
}

export function checkResult(cluster: Cluster, client: Client): void {
  const { plan, state, text, cancelling } = client;
  const { job } = plan.spec;
  if (cancelling && state === 'cancelled') return;
  const expected = sequentialResult(plan, texts(cluster, client));
  const wanted = expected === undefined ? 'failed' : 'succeeded';
  if (state !== wanted) {
    const why = cluster.store.data.jobs.get(job)?.failure?.message ?? '';
    cluster.judge.fail('every job ends as it should', `${job} ${state} (${why}); sequentially it would have ${wanted}`);
  }
  if (expected !== undefined && text !== expected)
    cluster.judge.fail('results are those of a sequential run', `${job}: ${difference(text, expected)}`);
}

/** A fickle `split` decides which items there are; of others it is known. */
function texts(cluster: Cluster, { plan }: Client): string[] {
  const { input, job } = plan.spec;
  if (input.kind === 'range') return Array.from({ length: plan.items }, (_, i) => `"v${input.from + i}"`);
  const blocks = cluster.store.data.jobs.get(job)?.blocks ?? [];
  const stored = blocks.flatMap(({ data }) => linesOf(textOf(data)));
  if (plan.fickleTries > 0) return stored;
  const known = Array.from({ length: plan.items }, (_, i) => `"v${i}"`);
  if (input.kind === 'blocks' && stored.join() !== known.join())
    cluster.judge.fail('no input is lost or stored twice', `${job} has ${stored.length} of ${known.length} items`);
  return known;
}

function difference(got: string, expected: string): string {
  const [lines, wanted] = [linesOf(got), linesOf(expected)];
  const at = wanted.findIndex((line, i) => line !== lines[i]);
  const line = at < 0 ? wanted.length : at;
  return `${lines.length} lines instead of ${wanted.length}; line ${line} is ${lines[line] ?? 'missing'} instead of ${wanted[line] ?? 'nothing'}`;
}
