import type { JobView, NodeView } from '@das/contracts';
import { readState } from '@das/supervisor';
import { homeOf } from '../client/endpoint.js';
import type { Context } from '../context.js';
import { table } from '../core/human.js';

export interface LeaderView {
  readonly leader?: string;
  readonly term: number;
  /** Why nobody leads, and who keeps whom from it. */
  readonly blocked?: string;
  /** Why the node that was asked takes no part. */
  readonly misfit?: string;
}

/** What keeps a leader from being, or a node from taking part; a line each. */
export const leaderTroubles = ({ blocked, misfit }: LeaderView): string[] =>
  [...new Set([blocked, misfit])].flatMap((words) => (words === undefined ? [] : [words]));

/** `das nodes`. */
export async function nodes(context: Context): Promise<void> {
  const list = await (await context.client()).get<{ nodes: NodeView[] }>('/v1/nodes');
  await context.print(list, nodesTable(list.nodes));
}

/** `das leader`. */
export async function leader(context: Context): Promise<void> {
  const view = await (await context.client()).get<LeaderView>('/v1/leader');
  const known = view.leader === undefined ? 'no leader is known' : `${view.leader}  term ${view.term}`;
  await context.print(view, [known, ...leaderTroubles(view)].join('\n'));
}

/** `das status`: what runs here, and what the cluster says of itself. */
export async function status(context: Context): Promise<void> {
  const { world, options } = context;
  const home = homeOf(options, world);
  const local = await readState(home);
  const client = await context.client();
  const [{ nodes: members }, lead, { jobs: running }] = await Promise.all([
    client.get<{ nodes: NodeView[] }>('/v1/nodes'),
    client.get<LeaderView>('/v1/leader'),
    client.get<{ jobs: JobView[] }>('/v1/jobs', { state: 'running', limit: 1000 }),
  ]);
  const value = { home, local, nodes: members, leader: lead, runningJobs: running.length };
  const lines = [
    nodesTable(members),
    ...notices(members),
    `leader  ${lead.leader ?? 'none'}, term ${lead.term}`,
    ...leaderTroubles(lead).map((words) => `        ${words}`),
    `jobs    ${running.length} running`,
    ...(local ? [`home    ${home} (supervisor ${local.supervisor.pid}, ${local.state})`] : []),
  ];
  await context.print(value, lines.join('\n'));
}

const notices = (list: readonly NodeView[]): string[] =>
  list.flatMap(({ name, notice }) => (notice === undefined ? [] : [`${name}: ${notice}`]));

function nodesTable(list: readonly NodeView[]): string {
  const rows = list.map((node) => [
    `${node.name}${node.leader ? ' *' : ''}`,
    node.state,
    node.slots,
    node.running,
    node.queued,
    node.sandbox ?? '',
    node.rest ?? '',
    node.version,
  ]);
  return table(['NODE', 'STATE', 'SLOTS', 'RUNNING', 'QUEUED', 'SANDBOX', 'REST', 'VERSION'], rows);
}
