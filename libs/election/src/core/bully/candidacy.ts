import type { NodeId } from '@das/kernel';
import { eligible, yields } from '../office/eligibility.js';
import { announce, claim, namedLeader, standBack } from '../office/tenure.js';
import type { Turn } from '../office/turn.js';
import { outranks } from '../rank.js';
import { noteAsker } from './preemption.js';
import type { BullyMessage, BullyState } from './types.js';

type Of<K extends BullyMessage['kind']> = Extract<BullyMessage, { kind: K }>;

/** Election is repeated this often within the wait for an OK: a lost message must not depose a leader. */
const askedTimes = 3;

/** Asks every live node of higher rank whether it objects; claims at once when there is none. */
export function callElection(turn: Turn<BullyState>): void {
  turn.clearTimers('election', 'ok', 'askAgain', 'coordinator');
  turn.change({ graced: false });
  if (!eligible(turn.state, turn.now)) return standBack(turn);
  const asked = objectors(turn);
  if (asked.length === 0) return win(turn);
  const rounds = turn.state.rounds + 1;
  const round = `${turn.state.config.instance}.${rounds}`;
  turn.change({ phase: 'calling', rounds, election: { round, asked: new Set(asked), objected: new Set() } });
  sendElection(turn);
  turn.setTimer('ok', turn.t.okWaitMs);
}

/** Nobody objects: the store is asked. */
export function win(turn: Turn<BullyState>): void {
  turn.clearTimers('ok', 'askAgain', 'coordinator');
  turn.change({ election: undefined });
  claim(turn);
}

/** At first, and again for whoever may not have heard it. */
export function sendElection(turn: Turn<BullyState>): void {
  const { election, phase } = turn.state;
  if (election === undefined || phase !== 'calling') return;
  const message = { kind: 'election', from: turn.self, round: election.round } as const;
  const said = yields(turn.state, turn.now) ? { ...message, yields: true } : message;
  for (const to of election.asked) turn.emit({ kind: 'send', to, message: said });
  turn.setTimer('askAgain', Math.ceil(turn.t.okWaitMs / askedTimes));
}

/** Higher-ranked live nodes, and the holder of the current term whatever its rank: it may lead, and only be badly heard here. */
function objectors(turn: Turn<BullyState>): NodeId[] {
  const { live, ignored, holder, termOver, config } = turn.state;
  const lowest = yields(turn.state, turn.now);
  const asks = (node: NodeId): boolean =>
    node !== turn.self &&
    turn.now >= (ignored.get(node) ?? -Infinity) &&
    (lowest || outranks(node, turn.self, config.priorities) || (node === holder && !termOver));
  return [...live].filter(asks);
}

/** A node asks whether this one objects. Silence means no. */
export function onElection(turn: Turn<BullyState>, message: Of<'election'>): void {
  const { from, round } = message;
  if (from === turn.self) return;
  if (message.preempt === true) return noteAsker(turn, from);
  const leader = namedLeader(turn);
  if (leader !== undefined && leader.node !== from) {
    turn.emit({ kind: 'send', to: from, message: { kind: 'ok', from: turn.self, round, leader } });
    return announce(turn);
  }
  const higher = message.yields === true || outranks(turn.self, from, turn.state.config.priorities);
  // One that is to be chosen last objects to nobody: two of them would wait for each other.
  if (!higher || yields(turn.state, turn.now) || !eligible(turn.state, turn.now)) return;
  turn.emit({ kind: 'send', to: from, message: { kind: 'ok', from: turn.self, round } });
  if (turn.state.phase === 'following') callElection(turn);
}

/** Someone objects, or knows a leader. Answers to earlier rounds are late and mean nothing. */
export function onOk(turn: Turn<BullyState>, message: Of<'ok'>): void {
  const { election, phase } = turn.state;
  if (election?.round !== message.round || !election.asked.has(message.from)) return;
  const { leader } = message;
  if (leader !== undefined) {
    // A named leader whose term is over: the one who named it has not heard yet.
    const over = leader.term < turn.state.term || (leader.term === turn.state.term && turn.state.termOver);
    if (over || leader.node === turn.self) return;
    turn.learnTerm(leader.term, leader.node);
    return standBack(turn);
  }
  turn.change({ election: { ...election, objected: new Set(election.objected).add(message.from) } });
  if (phase !== 'calling') return;
  turn.clearTimers('ok', 'askAgain');
  turn.change({ phase: 'awaiting' });
  turn.setTimer('coordinator', turn.t.coordinatorWaitMs);
}

/** Those who objected never led: they can answer but not win. They are passed over for a while, and the next election is called. */
export function onNoCoordinator(turn: Turn<BullyState>): void {
  const until = turn.now + turn.t.ignoreMs;
  const ignored = new Map([...turn.state.ignored].filter(([, end]) => end > turn.now));
  for (const node of turn.state.election?.objected ?? []) ignored.set(node, until);
  turn.change({ ignored });
  callElection(turn);
}

/** A node that is gone objects no more; with the last one gone there is nothing to wait for. */
export function dropObjector(turn: Turn<BullyState>, node: NodeId): void {
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
