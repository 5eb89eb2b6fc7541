import { broadcast } from './broadcast.js';
import { type Turn, nextIncarnation, note } from './node.js';

/**
 * Overrules what others say of us: an `alive` of a higher incarnation than the accusation's (SWIM §4.2). Being accused means that
 * our answers were late, so our health suffers (Lifeguard §IV-A). Memberlist `state.go`, refute.
 */
export function refute(turn: Turn, accusedIncarnation: number): void {
  const { node } = turn;
  if (nextIncarnation(node) <= accusedIncarnation) node.incarnation = (accusedIncarnation + 1) >>> 0;
  node.awareness.apply(1);
  const { name, addr, port, meta, vsn } = node.self;
  const own = node.table.get(name);
  if (own !== undefined) node.table.update({ ...own, incarnation: node.incarnation });
  broadcast(turn, name, { kind: 'alive', node: name, incarnation: node.incarnation, addr, port, meta, vsn });
  note(turn, 'refuted', `overruled an accusation of incarnation ${accusedIncarnation} with ${node.incarnation}`);
}
