import { send } from './broadcast.js';
import { type MessageOf, encodeMessage } from './codec/message.js';
import { choosesTargets, probePeriod } from './config.js';
import type { Turn } from './node.js';
import type { Member } from './types.js';

/** Our accusation of a member, as we know it. */
export function accusationOf({ node }: Turn, target: Member): MessageOf<'suspect'> {
  return { kind: 'suspect', incarnation: target.incarnation, node: target.name, from: node.config.name };
}

/**
 * Tells the accused again and again that we accuse it, for as long as we do. Gossip tells it a few times within some hundred
 * milliseconds, and a member that was cut off or stood still just then would be dead before it could speak for itself.
 */
export function startReminding(turn: Turn, name: string): void {
  const suspicion = turn.node.suspicions.get(name);
  // With the original's frequent probes, those to the suspect remind it often enough.
  if (!choosesTargets(turn.node.config) || suspicion === undefined || suspicion.reminds) return;
  suspicion.reminds = true;
  again(turn, name);
}

/** One period is over. */
export function remind(turn: Turn, name: string): void {
  const { node } = turn;
  const member = node.table.get(name);
  if (member?.state !== 'suspect' || node.suspicions.get(name)?.reminds !== true) return;
  send(turn, member, [encodeMessage(accusationOf(turn, member))], member);
  again(turn, name);
}

function again({ node, now }: Turn, name: string): void {
  node.timers.set(now + probePeriod(node.config), { kind: 'remind', name });
}
