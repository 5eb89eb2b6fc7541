import { broadcast } from './broadcast.js';
import type { MessageOf } from './codec/message.js';
import { isPresent } from './member-table.js';
import type { Turn } from './node.js';
import { refute } from './refute.js';
import type { Member } from './types.js';

/** A member is gone: failed, or left on purpose when it says so itself (memberlist `state.go`, deadNode). */
export function hearDead(turn: Turn, message: MessageOf<'dead'>, token?: number): void {
  const { node } = turn;
  const known = node.table.get(message.node);
  if (known === undefined || message.incarnation < known.incarnation) return;
  node.suspicions.delete(known.name);
  if (!isPresent(known)) return;
  if (known.name === node.config.name && !node.leaving) return refute(turn, message.incarnation);
  broadcast(turn, known.name, message, token);
  const member: Member = {
    ...known,
    incarnation: message.incarnation,
    state: message.from === message.node ? 'left' : 'dead',
    stateChange: turn.now,
  };
  node.table.update(member);
  turn.effects.push({ kind: 'member', change: 'leave', member });
}
