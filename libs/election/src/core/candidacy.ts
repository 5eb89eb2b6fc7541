import type { NodeId } from '@das/kernel';
import { eligible } from './eligibility.js';
import { outranks } from './rank.js';
import { announce, claim, namedLeader, standBack } from './tenure.js';
import type { Turn } from './turn.js';
import type { BullyMessage } from './types.js';

type Of<K extends BullyMessage['kind']> = Extract<BullyMessage, { kind: K }>;

/** Asks every live node of higher rank whether it objects; claims at once when there is none. */
export function callElection(turn: Turn): void {
  turn.clearTimers('election', 'ok', 'coordinator');
  turn.change({ graced: false });
  if (!eligible(turn.state, turn.now)) return standBack(turn);
  const asked = objectors(turn);
  if (asked.length === 0) return claim(turn);
  const rounds = turn.state.rounds + 1;
  const round = `${turn.state.config.instance}.${rounds}`;
  turn.change({ phase: 'calling', rounds, election: { round, asked: new Set(asked), objected: new Set() } });
  for (const to of asked) turn.emit({ kind: 'sendElection', to, round });
  turn.setTimer('ok', turn.t.okWaitMs);
}

/** Higher-ranked live nodes, and the holder of the current term whatever its rank: it may lead, and only be badly heard here. */
function objectors(turn: Turn): NodeId[] {
  const { live, ignored, holder, termOver, config } = turn.state;
  const asks = (node: NodeId): boolean =>
    node !== turn.self &&
    turn.now >= (ignored.get(node) ?? -Infinity) &&
    (outranks(node, turn.self, config.priorities) || (node === holder && !termOver));
  return [...live].filter(asks);
}

/** A node asks whether this one objects. Silence means no. */
export function onElection(turn: Turn, message: Of<'election'>): void {
  const { from, round } = message;
  if (from === turn.self) return;
  const leader = namedLeader(turn);
  if (leader !== undefined && leader.node !== from) {
    turn.emit({ kind: 'sendOk', to: from, round, leader });
    return announce(turn);
  }
  if (!outranks(turn.self, from, turn.state.config.priorities) || !eligible(turn.state, turn.now)) return;
  turn.emit({ kind: 'sendOk', to: from, round, leader: undefined });
  if (turn.state.phase === 'following') callElection(turn);
}

/** Someone objects, or knows a leader. Answers to earlier rounds are late and mean nothing. */
export function onOk(turn: Turn, message: Of<'ok'>): void {
  const { election, phase } = turn.state;
  if (election?.round !== message.round || !election.asked.has(message.from)) return;
  const { leader } = message;
  if (leader !== undefined) {
    // A named leader whose term is over: the one who named it has not heard yet.
    const over = leader.term < turn.state.term || (leader.term === turn.state.term && turn.state.termOver);
    if (over || leader.node === turn.self) return;
    turn.learnTerm(leader.term, leader.node);
    turn.clearTimers('ok', 'coordinator');
    return standBack(turn);
  }
  turn.change({ election: { ...election, objected: new Set(election.objected).add(message.from) } });
  if (phase !== 'calling') return;
  turn.clearTimers('ok');
  turn.change({ phase: 'awaiting' });
  turn.setTimer('coordinator', turn.t.coordinatorWaitMs);
}

/** Those who objected never led: they can answer but not win. They are passed over for a while, and the next election is called. */
export function onNoCoordinator(turn: Turn): void {
  const until = turn.now + turn.t.ignoreMs;
  const ignored = new Map([...turn.state.ignored].filter(([, end]) => end > turn.now));
  for (const node of turn.state.election?.objected ?? []) ignored.set(node, until);
  turn.change({ ignored });
  callElection(turn);
}

/** A node that is gone objects no more; with the last one gone there is nothing to wait for. */
export function dropObjector(turn: Turn, node: NodeId): void {
  const { election, phase } = turn.state;
  if (election === undefined || !election.asked.has(node)) return;
  const asked = new Set(election.asked);
  const objected = new Set(election.objected);
  asked.delete(node);
  objected.delete(node);
  turn.change({ election: { ...election, asked, objected } });
  const waitsFor = phase === 'awaiting' ? objected : asked;
  if (waitsFor.size === 0) callElection(turn);
}
