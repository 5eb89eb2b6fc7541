import type { NodeId } from '@das/kernel';
import { liveNodesMax } from '../types.js';
import type { CoordinatorMessage } from '../types.js';
import { stepDown } from './tenure.js';
import type { Turn } from './turn.js';

/** Someone says that it holds a term, or no longer does. */
export function onCoordinator(turn: Turn, message: CoordinatorMessage): void {
  const { term, holder, termOver } = turn.state;
  if (message.leader === turn.self) return checkNamesake(turn, message);
  if (message.term < term) return;
  if (message.term === term && holder !== undefined && holder !== message.leader) {
    const text = `term ${term} is claimed by ${message.leader} but was granted to ${holder}`;
    return turn.emit({ kind: 'defect', message: text });
  }
  if (message.term === term && termOver) return;
  turn.learnTerm(message.term, message.leader);
  stepDown(turn, 'higherTerm');
  if (message.resigned) return onResigned(turn, message);
  turn.change({ failures: 0, quietSince: turn.now, graced: false });
  turn.change({ heard: { node: message.leader, term: message.term, at: turn.now } });
  turn.change({ phase: 'following' });
  turn.candidacy.leaderHeard(turn, message.leader, message.voters);
  turn.waitForLeader();
}

function onResigned(turn: Turn, { leader, to }: CoordinatorMessage): void {
  turn.change({ termOver: true, heard: undefined, quietSince: turn.now - turn.t.leaderTimeoutMs });
  turn.candidacy.leaderResigned(turn, leader, to);
}

/**
 * Own messages come back over the bus. One of a term this process was never granted is of another process with this name; or, until the
 * store has told which terms there were, of its own life before a restart.
 */
function checkNamesake(turn: Turn, message: CoordinatorMessage): void {
  if (!turn.state.storeSeen || message.term <= turn.state.term) return;
  const text = `another process leads as ${turn.self} in term ${message.term}: two nodes have one name`;
  turn.emit({ kind: 'defect', message: text });
}

export function onMemberAlive(turn: Turn, node: NodeId): void {
  const { live } = turn.state;
  if (live.has(node) || live.size >= liveNodesMax) return;
  turn.change({ live: new Set(live).add(node) });
}

/** A hint: what it is worth is the strategy's to judge. */
export function onMemberGone(turn: Turn, node: NodeId): void {
  const live = new Set(turn.state.live);
  live.delete(node);
  turn.change({ live });
  turn.candidacy.memberGone(turn, node);
}
