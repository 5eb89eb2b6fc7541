import { eligible } from '../office/eligibility.js';
import { claim } from '../office/tenure.js';
import type { Turn } from '../office/turn.js';
import { ask, isOwn } from './record.js';
import type { KvResult, LeaseRecord, LeaseState, Taking } from './types.js';

type LeaseTurn = Turn<LeaseState>;

/** Lost answers and conflicts on the counter that are borne within one try; together they last no longer than about a second. */
const retriesMax = 3;

/**
 * Takes the record that was just read. The order matters: first the claim, then the counter, then the stamp. A node that counted
 * first and then stood still could stamp its record later with a round below one already used.
 */
export function take(turn: LeaseTurn): void {
  const { seen } = turn.state;
  if (seen === undefined || turn.state.asked !== undefined || !eligible(turn.state, turn.now)) return;
  const n = (seen.record?.n ?? 0) + 1;
  const taking = { stage: 'claim', unsure: false, rev: seen.rev, n, round: 0, askedAt: turn.now, retries: 0 } as const;
  turn.change({ phase: 'calling', taking });
  ask(turn, { op: 'writeRecord', record: ownRecord(turn, 0, n, 'claim'), rev: seen.rev });
}

export function ownRecord(turn: LeaseTurn, round: number, n: number, state: LeaseRecord['state']): LeaseRecord {
  return { leader: turn.self, nonce: turn.state.config.instance, round, n, state };
}

/** The bucket answered the ask of the current stage. */
export function onTaken(turn: LeaseTurn, taking: Taking, result: KvResult): void {
  if (taking.unsure) return result.kind === 'record' ? check(turn, taking, result.entry) : unsure(turn, taking);
  if (result.kind === 'failed') return unsure(turn, taking);
  if (taking.stage === 'claim' && result.kind === 'written') return count(turn, { ...taking, rev: result.rev });
  if (taking.stage === 'readCounter' && result.kind === 'counter') return raise(turn, taking, result.entry);
  if (taking.stage === 'writeCounter')
    return result.kind === 'written' ? stamp(turn, taking) : again(turn, taking, count);
  if (taking.stage === 'stamp' && result.kind === 'written') return won(turn, taking, result.rev);
  lose(turn);
}

/** Nobody knows whether it happened: a record is looked at, a number of the counter is given up for the next. */
function unsure(turn: LeaseTurn, taking: Taking): void {
  if (taking.stage === 'readCounter' || taking.stage === 'writeCounter') return again(turn, taking, count);
  again(turn, { ...taking, unsure: true }, () => ask(turn, { op: 'readRecord' }));
}

function again(turn: LeaseTurn, taking: Taking, act: (turn: LeaseTurn, taking: Taking) => unknown): void {
  if (taking.retries >= retriesMax) return lose(turn);
  const next = { ...taking, retries: taking.retries + 1 };
  turn.change({ taking: next });
  act(turn, next);
}

function check(turn: LeaseTurn, taking: Taking, entry: { record: LeaseRecord; rev: number } | undefined): void {
  const arrived = entry !== undefined && isOwn(turn, entry.record) && entry.record.n === taking.n;
  if (!arrived) return lose(turn);
  const sure = { ...taking, unsure: false, rev: entry.rev };
  if (taking.stage === 'claim') count(turn, sure);
  else won(turn, sure, entry.rev);
}

function count(turn: LeaseTurn, taking: Taking): void {
  turn.change({ taking: { ...taking, stage: 'readCounter' } });
  ask(turn, { op: 'readCounter' });
}

/** One above all that is known: a bucket that was lost is healed by the rounds seen and by the store's term. */
function raise(turn: LeaseTurn, taking: Taking, entry: { round: number; rev: number } | undefined): void {
  const round = Math.max(entry?.round ?? 0, turn.state.roundSeen, turn.state.term) + 1;
  turn.change({ taking: { ...taking, stage: 'writeCounter', round } });
  ask(turn, { op: 'writeCounter', round, rev: entry?.rev ?? 0 });
}

function stamp(turn: LeaseTurn, taking: Taking): void {
  const n = taking.n + 1;
  turn.change({ taking: { ...taking, stage: 'stamp', n, askedAt: turn.now } });
  ask(turn, { op: 'writeRecord', record: ownRecord(turn, taking.round, n, 'held'), rev: taking.rev });
}

/** The record is this node's, counted from before it was asked for. Now the store. */
function won(turn: LeaseTurn, { round, n, askedAt }: Taking, rev: number): void {
  turn.change({ taking: undefined, roundSeen: Math.max(round, turn.state.roundSeen) });
  turn.change({ holding: { rev, n, round, until: askedAt + turn.t.lease.holdMs, triedSince: undefined } });
  turn.setTimer('renewRecord', turn.t.lease.renewEveryMs);
  claim(turn);
}

/** Another was faster, or the bucket did not answer. What was burnt of the counter is never used; the next look decides. */
export function lose(turn: LeaseTurn): void {
  turn.change({ taking: undefined });
  if (turn.state.phase === 'calling') turn.change({ phase: 'following' });
  turn.waitForLeader();
  turn.setTimer('poll', turn.t.lease.renewRetryMs * 4 + turn.random(turn.t.lease.renewRetryMs * 4));
}
