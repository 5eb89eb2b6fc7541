import type { NodeId } from '@das/kernel';
import type { Candidacy } from '../office/candidacy.js';
import { eligible, yields } from '../office/eligibility.js';
import { strategyOf } from '../office/machine.js';
import { highestRanked } from '../rank.js';
import type { Turn } from '../office/turn.js';
import type { TimerKind } from '../types.js';
import { callElection, dropObjector, onElection, onNoCoordinator, onOk, sendElection, win } from './candidacy.js';
import { giveWay, outrankedLeaderHeard } from './preemption.js';
import type { BullyState } from './types.js';

/** Resigned leaders are followed by an election at once; this much random time keeps all from calling together (ms). */
const resignSpreadMs = 50;

function onTimer(turn: Turn<BullyState>, timer: TimerKind): void {
  if (timer === 'ok') win(turn);
  else if (timer === 'askAgain') sendElection(turn);
  else if (timer === 'coordinator') onNoCoordinator(turn);
  else if (timer === 'handOver') giveWay(turn);
}

/** It ends waiting for that node, but a leader that was heard a moment ago is not deposed by a hint. */
function onGone(turn: Turn<BullyState>, node: NodeId): void {
  dropObjector(turn, node);
  const { heard, phase, deaf } = turn.state;
  const silent = heard?.node === node && turn.now - heard.at >= turn.t.heartbeatMs * 2;
  if (silent && phase === 'following' && !deaf) callElection(turn);
}

function endElection(turn: Turn<BullyState>): void {
  turn.clearTimers('ok', 'askAgain', 'coordinator');
  turn.change({ election: undefined });
}

function onLeaderHeard(turn: Turn<BullyState>, leader: NodeId): void {
  const ignored = new Map(turn.state.ignored);
  ignored.delete(leader);
  endElection(turn);
  turn.change({ ignored });
  outrankedLeaderHeard(turn, leader);
}

/** The one that was named goes straight to the store; all others wait for it a moment, unless they are in an election already. */
function onResigned(turn: Turn<BullyState>, to: NodeId | undefined): void {
  turn.change({ outranksSince: undefined });
  if (turn.state.phase !== 'following') return;
  if (to === turn.self && eligible(turn.state, turn.now)) return win(turn);
  const first = to === undefined || to === turn.self ? 0 : turn.t.damping.successorFirstMs;
  turn.setTimer('election', first + turn.random(resignSpreadMs));
}

/**
 * Bully over a store that grants terms (DESIGN §5): rank decides who tries, the store who leads. Needs no majority and no
 * persisted votes: two would-be leaders hold different terms, and the store refuses the acts of the lower one.
 */
export const bully = strategyOf<BullyState>({
  name: 'bully',
  initial: (office) => ({
    ...office,
    ignored: new Map(),
    rounds: 0,
    election: undefined,
    outranksSince: undefined,
    askers: new Map(),
  }),
  started: () => undefined,
  patienceMs: (turn) => {
    const { leaderTimeoutMs, spreadMs } = turn.t;
    // A node to be chosen last leaves the first try to the others.
    const last = yields(turn.state, turn.now) ? spreadMs : 0;
    return leaderTimeoutMs + last + turn.random(spreadMs);
  },
  stand: callElection,
  message: (turn, message) => {
    if (message.kind === 'election') onElection(turn, message);
    else if (message.kind === 'ok') onOk(turn, message);
  },
  timer: onTimer,
  answered: () => undefined,
  memberGone: onGone,
  leaderHeard: onLeaderHeard,
  tookOffice: endElection,
  leaderResigned: (turn, _leader, to) => onResigned(turn, to),
  mandateUntil: () => Infinity,
  release: (turn) => {
    endElection(turn);
    turn.clearTimers('handOver');
    turn.change({ askers: new Map() });
  },
  successor: (turn) => highestRanked(turn.state, [...turn.state.live]),
  blocked: () => undefined,
} satisfies Candidacy<BullyState>);
