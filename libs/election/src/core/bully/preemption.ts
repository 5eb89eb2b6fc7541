import type { NodeId } from '@das/kernel';
import { maySettle } from '../office/damping.js';
import { eligible, yields } from '../office/eligibility.js';
import { handOver } from '../office/tenure.js';
import type { Turn } from '../office/turn.js';
import { outranks } from '../rank.js';
import type { BullyState } from './types.js';

/** A node that could lead better asks this often (ms); the leader collects for longer than that. */
const askEveryMs = 1_000;

/** A Coordinator came. After a while of outranking its sender, able to lead all along, this node asks it for the lead. */
export function outrankedLeaderHeard(turn: Turn<BullyState>, leader: NodeId): void {
  const { config, outranksSince } = turn.state;
  const better =
    config.preempt &&
    outranks(turn.self, leader, config.priorities) &&
    eligible(turn.state, turn.now) &&
    !yields(turn.state, turn.now);
  if (!better) return turn.change({ outranksSince: undefined });
  const since = outranksSince?.leader === leader ? outranksSince : { leader, at: turn.now, askedAt: undefined };
  const due = turn.now - since.at >= turn.t.damping.eligibleMs && turn.now - (since.askedAt ?? -Infinity) >= askEveryMs;
  turn.change({ outranksSince: due ? { ...since, askedAt: turn.now } : since });
  if (!due) return;
  const round = `${config.instance}.preempt`;
  turn.emit({ kind: 'send', to: leader, message: { kind: 'election', from: turn.self, round, preempt: true } });
}

/** A higher-ranked node asks this leader for the lead. The first ask opens a short wait, for the highest may not be the first. */
export function noteAsker(turn: Turn<BullyState>, from: NodeId): void {
  const { tenure, config, live, askers } = turn.state;
  const higher = outranks(from, turn.self, config.priorities) && live.has(from);
  if (tenure === undefined || !config.preempt || !higher || !maySettle(turn)) return;
  turn.change({ askers: new Map(askers).set(from, turn.now) });
  if (turn.state.deadlines.handOver === undefined) turn.setTimer('handOver', turn.t.damping.collectMs);
}

/** The wait is over: the highest of those who asked leads next. */
export function giveWay(turn: Turn<BullyState>): void {
  const { askers, config, live } = turn.state;
  turn.change({ askers: new Map() });
  const [highest] = [...askers.keys()]
    .filter((node) => live.has(node))
    .sort((a, b) => (outranks(a, b, config.priorities) ? -1 : 1));
  if (highest !== undefined) handOver(turn, 'preempted', highest);
}
