import type { Turn } from '../office/turn.js';
import type { KvAsk, LeaseRecord, LeaseState } from './types.js';

type LeaseTurn = Turn<LeaseState>;
type Entry = { readonly record: LeaseRecord; readonly rev: number } | undefined;

/** Asks the bucket, unless an ask is in flight: its answer decides what comes next. */
export function ask(turn: LeaseTurn, what: KvAsk): boolean {
  if (turn.state.asked !== undefined) return false;
  const id = turn.state.asks + 1;
  turn.change({ asks: id, asked: { id, ask: what, at: turn.now } });
  turn.emit({ kind: 'askKv', id, ask: what });
  return true;
}

/** Whether this very process wrote it. The same node in its life before was another. */
export const isOwn = (turn: LeaseTurn, record: LeaseRecord | undefined): boolean =>
  record?.leader === turn.self && record.nonce === turn.state.config.instance;

/**
 * Notes what was read, and since when it is the same. Only the own clock tells: expiry is silent, and a time written by another
 * machine means nothing here. The content is compared too: a server that lost its newest writes gives revisions out twice.
 */
export function sight(turn: LeaseTurn, entry: Entry): void {
  const { seen, roundSeen } = turn.state;
  const same =
    seen !== undefined &&
    seen.rev === (entry?.rev ?? 0) &&
    JSON.stringify(seen.record) === JSON.stringify(entry?.record);
  const since = same ? seen.since : turn.now;
  turn.change({ seen: { rev: entry?.rev ?? 0, record: entry?.record, since } });
  turn.change({ recordKnown: turn.state.recordKnown || entry !== undefined });
  turn.change({ roundSeen: Math.max(roundSeen, entry?.record.round ?? 0) });
}

/**
 * Whether what was just read may be taken: there never was a record, nobody changed it for long enough, or its holder named this
 * node. An own record is no exception: it may be a late write, over another's, after the bucket lost its newest revisions.
 */
export function mayTake(turn: LeaseTurn): boolean {
  const { seen, invited, recordKnown } = turn.state;
  if (seen === undefined) return false;
  if (!recordKnown) return true;
  const named = invited !== undefined && invited.round === seen.record?.round && invited.nonce === seen.record.nonce;
  if (named) return true;
  return turn.now - seen.since >= turn.t.lease.takeoverMs;
}
