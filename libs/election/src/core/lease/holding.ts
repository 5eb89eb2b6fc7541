import { standBack, stepDown } from '../office/tenure.js';
import type { Turn } from '../office/turn.js';
import { ask, isOwn } from './record.js';
import { ownRecord } from './taking.js';
import type { Holding, KvAsk, KvResult, LeaseState } from './types.js';

type LeaseTurn = Turn<LeaseState>;

/** Renews by compare-and-set on the last known revision: a put could overwrite a successor. */
export function renewRecord(turn: LeaseTurn): void {
  const { holding } = turn.state;
  if (holding === undefined) return;
  turn.change({ holding: { ...holding, triedSince: holding.triedSince ?? turn.now } });
  const record = ownRecord(turn, holding.round, holding.n + 1, 'held');
  ask(turn, { op: 'writeRecord', record, rev: holding.rev });
  turn.setTimer('renewRecord', turn.t.lease.renewEveryMs);
}

/** The bucket answered a holder. */
export function onHeld(turn: LeaseTurn, holding: Holding, asked: KvAsk, result: KvResult, askedAt: number): void {
  if (asked.op === 'writeRecord' && result.kind === 'written') {
    const until = Math.max(holding.until, askedAt + turn.t.lease.holdMs);
    return turn.change({ holding: { ...holding, rev: result.rev, n: asked.record.n, until, triedSince: undefined } });
  }
  if (result.kind === 'conflict') return void ask(turn, { op: 'readRecord' });
  if (result.kind === 'record') return compare(turn, holding, result);
  turn.setTimer('renewRecord', turn.t.lease.renewRetryMs);
}

/**
 * The revision was not the expected one. A renewal whose answer was lost may have arrived after all: then its revision is adopted, as sent with the
 * first try of it, and renewed at once. Anything else is another's.
 */
function compare(turn: LeaseTurn, holding: Holding, { entry }: Extract<KvResult, { kind: 'record' }>): void {
  const record = entry?.record;
  const adopted =
    entry !== undefined && isOwn(turn, record) && record?.round === holding.round && entry.record.n <= holding.n + 1;
  if (!adopted) return loseRecord(turn);
  const arrived = entry.record.n > holding.n;
  const until = arrived && holding.triedSince !== undefined ? holding.triedSince + turn.t.lease.holdMs : -Infinity;
  turn.change({
    holding: {
      ...{ ...holding, rev: entry.rev, n: entry.record.n, until: Math.max(holding.until, until) },
      triedSince: arrived ? undefined : holding.triedSince,
    },
  });
  renewRecord(turn);
}

function loseRecord(turn: LeaseTurn): void {
  turn.change({ holding: undefined });
  turn.clearTimers('renewRecord');
  if (turn.state.tenure !== undefined) stepDown(turn, 'mandateLost');
  else standBack(turn);
}
