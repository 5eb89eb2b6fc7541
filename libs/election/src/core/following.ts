import type { NodeId } from '@das/kernel';
import { callElection, dropObjector } from './candidacy.js';
import { stepDown } from './tenure.js';
import type { Turn } from './turn.js';
import { liveNodesMax } from './types.js';
import type { BullyMessage } from './types.js';

type Coordinator = Extract<BullyMessage, { kind: 'coordinator' }>;

/** Resigned leaders are followed by an election at once; this much random time keeps all from calling together (ms). */
const resignSpreadMs = 50;

/** Someone says that it holds a term, or no longer does. */
export function onCoordinator(turn: Turn, message: Coordinator): void {
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
  if (message.resigned) return onResigned(turn);
  const ignored = new Map(turn.state.ignored);
  ignored.delete(message.leader);
  turn.clearTimers('ok', 'coordinator');
  turn.change({ phase: 'following', election: undefined, ignored, failures: 0, quietSince: turn.now, graced: false });
  turn.change({ heard: { node: message.leader, term: message.term, at: turn.now } });
  turn.waitForLeader();
}

function onResigned(turn: Turn): void {
  turn.change({ termOver: true, heard: undefined, quietSince: turn.now - turn.t.leaderTimeoutMs });
  // Those who are in an election already go on with it.
  if (turn.state.phase === 'following') turn.setTimer('election', turn.random(resignSpreadMs));
}

/** Own messages come back over the bus. One of a term this process was never granted is of another process with this name. */
function checkNamesake(turn: Turn, message: Coordinator): void {
  if (message.term <= turn.state.term) return;
  const text = `another process leads as ${turn.self} in term ${message.term}: two nodes have one name`;
  turn.emit({ kind: 'defect', message: text });
}

export function onMemberAlive(turn: Turn, node: NodeId): void {
  const { live } = turn.state;
  if (live.has(node) || live.size >= liveNodesMax) return;
  turn.change({ live: new Set(live).add(node) });
}

/** A hint. It ends waiting for that node, but a leader that was heard a moment ago is not deposed by it. */
export function onMemberGone(turn: Turn, node: NodeId): void {
  const live = new Set(turn.state.live);
  live.delete(node);
  turn.change({ live });
  dropObjector(turn, node);
  const { heard, phase, deaf } = turn.state;
  const silent = heard?.node === node && turn.now - heard.at >= turn.t.heartbeatMs * 2;
  if (silent && phase === 'following' && !deaf) callElection(turn);
}
