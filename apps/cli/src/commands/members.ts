import type { Member, MembersView } from '@das/contracts';
import type { GlobalOptions } from '../client/endpoint.js';
import type { Context } from '../context.js';
import { duration, table } from '../core/human.js';

export interface MembersOptions extends GlobalOptions {
  readonly wide?: boolean;
}

/** `das members`: who is here, as the gossip of the asked node sees it. */
export async function members(context: Context<MembersOptions>): Promise<void> {
  const view = await (await context.client()).get<MembersView>('/v1/members');
  const rows = context.options.wide === true ? wide(view) : narrow(view);
  const isShort = context.options.wide !== true;
  await context.print(isShort ? { by: view.by, members: view.members } : view, rows);
}

const since = ({ sinceMs }: Member): string => duration(sinceMs);

function narrow({ members: list }: MembersView): string {
  const rows = list.map((member) => [member.node, member.state, since(member), member.address, member.version ?? '']);
  return table(['MEMBER', 'STATE', 'FOR', 'ADDRESS', 'VERSION'], rows);
}

function wide({ by, members: list, gossip }: MembersView): string {
  const rows = list.map((member) => [
    member.node,
    member.state,
    since(member),
    member.address,
    member.incarnation,
    member.rttMs === undefined ? '' : `${member.rttMs} ms`,
    member.version ?? '(none of our nodes)',
    member.services.join(','),
    Object.entries(member.labels)
      .map(([name, value]) => `${name}=${value}`)
      .join(','),
  ]);
  const head = ['MEMBER', 'STATE', 'FOR', 'ADDRESS', 'INCARNATION', 'RTT', 'VERSION', 'SERVICES', 'LABELS'];
  const lines = [table(head, rows), `seen by ${by}`];
  if (gossip !== undefined) {
    const { healthScore, encrypted, profile, label, notes } = gossip;
    lines.push(
      `gossip  ${encrypted ? 'encrypted' : 'not encrypted'}, profile ${profile}${label === '' ? '' : `, label ${label}`}, health score ${healthScore}`,
      `noted   ${
        Object.entries(notes)
          .map(([code, count]) => `${code} ${count}`)
          .join(', ') || 'nothing'
      }`,
    );
  }
  return lines.join('\n');
}
