import type { NodeId } from '@das/kernel';
import type { Candidacy, OwnEvent } from '../office/candidacy.js';
import { eligible, yields } from '../office/eligibility.js';
import { strategyOf } from '../office/machine.js';
import { claim } from '../office/tenure.js';
import type { Turn } from '../office/turn.js';
import { highestRanked } from '../rank.js';
import type { TimerKind } from '../types.js';
import { onHeld, renewRecord } from './holding.js';
import { ask, mayTake, sight } from './record.js';
import { onTaken, take } from './taking.js';
import type { KvAsk, KvResult, LeaseMessage, LeaseState, Taking } from './types.js';

type LeaseTurn = Turn<LeaseState>;

/** Looks at the record, at every poll and whenever the bucket says that something changed: expiry itself is silent. */
function look(turn: LeaseTurn): void {
  if (turn.state.holding === undefined && turn.state.taking === undefined) ask(turn, { op: 'readRecord' });
  turn.setTimer('poll', nextLookMs(turn));
}

/** A quarter of L, or earlier when the record will be old enough by then. */
function nextLookMs(turn: LeaseTurn): number {
  const { pollMs, takeoverMs } = turn.t.lease;
  const { seen } = turn.state;
  const usual = pollMs + turn.random(pollMs / 8);
  const due = (seen?.since ?? turn.now) + takeoverMs - turn.now;
  return due > 0 && due < usual ? Math.ceil(due) + turn.random(pollMs / 8) : usual;
}

function onAnswer(turn: LeaseTurn, event: OwnEvent): void {
  if (event.kind === 'kvChanged') return look(turn);
  if (event.kind !== 'kvAnswered' || event.id !== turn.state.asked?.id) return;
  const { ask: asked, at } = turn.state.asked;
  turn.change({ asked: undefined });
  const { holding, taking } = turn.state;
  if (holding !== undefined) return onHeld(turn, holding, asked, event.result, at);
  if (taking !== undefined && fits(asked, taking)) return onTaken(turn, taking, event.result);
  if (event.result.kind === 'record') onLooked(turn, event.result);
}

/** Whether the answer is to the stage it comes in: one of a try that was given up is late. */
function fits(asked: KvAsk, { stage, unsure }: Taking): boolean {
  if (unsure) return asked.op === 'readRecord';
  return asked.op === (stage === 'claim' || stage === 'stamp' ? 'writeRecord' : stage);
}

function onLooked(turn: LeaseTurn, { entry }: Extract<KvResult, { kind: 'record' }>): void {
  sight(turn, entry);
  const free = turn.state.phase === 'following' && !waitsForOthers(turn);
  if (free && eligible(turn.state, turn.now) && mayTake(turn)) take(turn);
}

/** To be chosen last: leaves the record to the others for one more poll or two. */
function waitsForOthers(turn: LeaseTurn): boolean {
  const { seen } = turn.state;
  const { takeoverMs, pollMs } = turn.t.lease;
  return yields(turn.state, turn.now) && seen !== undefined && turn.now - seen.since < takeoverMs + 2 * pollMs;
}

/** A holder that resigns names one node; it alone may take the record at once, and only as that holder left it. */
function onHandOver(turn: LeaseTurn, { nonce, round }: LeaseMessage): void {
  if (round < turn.state.roundSeen) return;
  turn.change({ invited: { nonce, round } });
  look(turn);
}

function onTimer(turn: LeaseTurn, timer: TimerKind): void {
  if (timer === 'poll') look(turn);
  else if (timer === 'renewRecord') renewRecord(turn);
}

const successor = (turn: LeaseTurn): NodeId | undefined => highestRanked(turn.state, [...turn.state.live]);

/** Nothing is written: the one that is named takes the record as it is, or it ages. A holder that cannot reach the store names one too. */
function release(turn: LeaseTurn, named: NodeId | undefined): void {
  const { holding } = turn.state;
  const to = named ?? successor(turn);
  turn.clearTimers('renewRecord');
  turn.change({ holding: undefined, taking: undefined });
  if (holding === undefined || to === undefined) return;
  turn.emit({
    kind: 'send',
    to,
    message: { kind: 'handOver', from: turn.self, nonce: turn.state.config.instance, round: holding.round },
  });
}

/**
 * A record in a bucket, held by whoever wrote it last and taken by whoever saw it unchanged for long enough; rounds come from a
 * counter in the same bucket. Needs only get, create and update by revision. The ZooKeeper recipe's ephemeral node, with the expiry
 * watched by the takers: the bucket tells nobody of it.
 */
export const lease = strategyOf<LeaseState>({
  name: 'lease',
  initial: (office) => ({
    ...office,
    asks: 0,
    asked: undefined,
    seen: undefined,
    recordKnown: false,
    taking: undefined,
    holding: undefined,
    invited: undefined,
    roundSeen: 0,
  }),
  started: look,
  patienceMs: (turn) => turn.t.leaderTimeoutMs + turn.random(turn.t.spreadMs),
  // The record decides, not the silence of a leader. Its holder may have followed an earlier leader while its claim came to nothing: it would renew
  // the record for ever, and nobody would lead.
  stand: (turn) => (turn.state.holding === undefined ? turn.waitForLeader() : claim(turn)),
  message: (turn, message) => {
    if (message.kind === 'handOver') onHandOver(turn, message);
  },
  timer: onTimer,
  answered: onAnswer,
  memberGone: () => undefined,
  leaderHeard: (turn) => {
    if (turn.state.taking !== undefined) turn.change({ taking: undefined });
  },
  tookOffice: (turn) => turn.change({ taking: undefined }),
  leaderResigned: () => undefined,
  mandateUntil: (state) => state.holding?.until ?? -Infinity,
  release,
  successor,
  blocked: () => undefined,
} satisfies Candidacy<LeaseState>);
