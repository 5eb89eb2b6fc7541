import type { NodeId } from '@das/kernel';
import type { ElectionEvent, Mono, OfficeState, WhyDown } from '../types.js';
import { eligible, noteDemotion } from './eligibility.js';
import type { Turn } from './turn.js';

type Of<K extends ElectionEvent['kind']> = Extract<ElectionEvent, { kind: K }>;

/** Claims in a row: the second one heals a term not known here, a third would only repeat a lost race. */
const triesMax = 2;

/** Asks the store for the next term. One claim at a time: while one is in flight its answer decides. */
export function claim(turn: Turn, tries = 1): void {
  const { splitter, term } = turn.state;
  turn.clearTimers('election');
  if (splitter === undefined || !eligible(turn.state, turn.now)) return standBack(turn);
  turn.change({ phase: 'claiming' });
  if (turn.state.claim !== undefined) return;
  turn.change({ claim: { above: term, startedAt: turn.now, epoch: splitter.epoch, tries } });
  turn.emit({ kind: 'claimTerm', above: term });
}

/** The store's answer to a claim. It alone makes a leader, whatever happened here meanwhile. */
export function onTermClaimed(turn: Turn, event: Of<'termClaimed'>): void {
  const claimed = turn.state.claim;
  if (claimed === undefined || claimed.above !== event.above) return;
  turn.change({ claim: undefined, storeAwayUntil: turn.now, storeSeen: true });
  const holder = event.granted ? turn.self : event.leader;
  const news = event.term > turn.state.term;
  turn.learnTerm(event.term, holder);
  if (event.granted && news) return takeOffice(turn, claimed, event.term);
  if (turn.state.phase !== 'claiming') return;
  // Our own earlier claim whose answer was lost, or a past life's term: its acts may still be under way, so it is not used again.
  // And a strategy that itself stands behind this node knows that the other holder's time is over.
  const again = event.leader === turn.self || Number.isFinite(turn.candidacy.mandateUntil(turn.state));
  if (again && claimed.tries < triesMax) return claim(turn, claimed.tries + 1);
  followSoon(turn, turn.t.coordinatorWaitMs + backOff(turn));
}

function takeOffice(turn: Turn, claimed: { startedAt: Mono; epoch: string }, term: number): void {
  const leaseUntil = claimed.startedAt + turn.t.leaseMs;
  // Late by a pause, or no longer able: others must not wait for a leader that does not lead.
  const late = turn.now >= Math.min(leaseUntil, turn.candidacy.mandateUntil(turn.state));
  if (late || !eligible(turn.state, turn.now)) {
    turn.change({ termOver: true });
    turn.emit({ kind: 'announce', term, resigned: true, trustUntil: turn.now, epoch: undefined });
    if (turn.state.phase !== 'stopped') followSoon(turn, backOff(turn));
    return;
  }
  if (turn.state.splitter?.epoch !== claimed.epoch) return claim(turn);
  turn.clearTimers('election');
  turn.candidacy.tookOffice(turn);
  turn.change({ phase: 'leading', heard: undefined, renewal: undefined });
  turn.change({ tenure: { term, since: turn.now, leaseUntil, epoch: claimed.epoch } });
  turn.emit({ kind: 'steppedUp', term });
  announce(turn);
  turn.setTimer('renew', turn.t.renewEveryMs);
  turn.setTimer('lease', leaseUntil - turn.now);
  turn.setTimer('splitter', turn.t.splitterBeatMs * turn.t.splitterMissesMax);
}

/** Coordinator, at once and then every H. */
export function announce(turn: Turn): void {
  const { tenure } = turn.state;
  if (tenure === undefined) return;
  const { term, epoch } = tenure;
  const trustUntil = Math.min(tenure.leaseUntil, turn.candidacy.mandateUntil(turn.state));
  turn.emit({ kind: 'announce', term, resigned: false, trustUntil, epoch });
  turn.setTimer('heartbeat', turn.t.heartbeatMs);
}

/** The store could not be asked. The term may have been granted all the same; a later claim finds out. */
export function onClaimFailed(turn: Turn, above: number): void {
  if (turn.state.claim?.above !== above) return;
  turn.change({ claim: undefined });
  const wait = backOff(turn);
  turn.change({ storeAwayUntil: turn.now + wait });
  if (turn.state.phase === 'claiming') followSoon(turn, wait);
}

/** Renews, unless a renewal is still in flight. */
export function renew(turn: Turn): void {
  const { tenure, renewal } = turn.state;
  if (tenure === undefined || renewal !== undefined) return;
  turn.change({ renewal: { term: tenure.term, startedAt: turn.now } });
  turn.emit({ kind: 'renewTerm', term: tenure.term });
  turn.setTimer('renew', turn.t.renewEveryMs);
}

export function onRenewed(turn: Turn, event: Of<'renewed'>): void {
  const { renewal, tenure } = turn.state;
  turn.learnTerm(event.term, event.leader);
  if (tenure === undefined || renewal?.term !== event.asked) return;
  turn.change({ renewal: undefined });
  if (!event.held) return stepDown(turn, 'notHeld');
  // From the start of the request: the store's answer tells about a moment between start and now, and only the start is safe.
  const leaseUntil = Math.max(tenure.leaseUntil, renewal.startedAt + turn.t.leaseMs);
  turn.change({ tenure: { ...tenure, leaseUntil }, failures: 0 });
  turn.setTimer('lease', leaseUntil - turn.now);
  // One that took longer than the time between two is followed at once.
  turn.setTimer('renew', Math.max(0, renewal.startedAt + turn.t.renewEveryMs - turn.now));
}

export function onRenewFailed(turn: Turn, asked: number): void {
  if (turn.state.renewal?.term !== asked) return;
  turn.change({ renewal: undefined });
  turn.setTimer('renew', turn.t.renewRetryMs);
}

/** Ends that say something about this node: it would be a bad choice for the next term. */
const demotions: readonly WhyDown[] = ['leaseLost', 'mandateLost', 'splitterSilent', 'unhealthy'];

/** Stops acting, says so, and waits before the next try. `splitterRestarted` is followed by a claim at once, so others are not stirred up. */
export function stepDown(turn: Turn, why: WhyDown, to?: NodeId): void {
  const { tenure } = turn.state;
  if (tenure === undefined) return;
  turn.clearTimers('heartbeat', 'renew', 'lease', 'splitter');
  turn.change({ tenure: undefined, renewal: undefined, phase: 'following', quietSince: turn.now });
  turn.emit({ kind: 'steppedDown', term: tenure.term, why });
  if (why === 'splitterRestarted') return;
  if (demotions.includes(why)) noteDemotion(turn);
  if (turn.state.term === tenure.term) turn.change({ termOver: true });
  turn.emit({ kind: 'announce', term: tenure.term, resigned: true, trustUntil: turn.now, epoch: undefined, to });
  turn.candidacy.release(turn, to);
  if (why !== 'leaseLost') return turn.waitForLeader();
  const wait = backOff(turn);
  turn.change({ storeAwayUntil: turn.now + wait });
  turn.setTimer('election', wait);
}

/** Steps down of its own will, in favour of the one that the strategy names. */
export function handOver(turn: Turn, why: WhyDown, to?: NodeId): void {
  stepDown(turn, why, to ?? turn.candidacy.successor(turn));
}

/** Not able to lead now: wait for another leader. */
export function standBack(turn: Turn): void {
  turn.change({ phase: 'following' });
  turn.candidacy.release(turn, undefined);
  turn.waitForLeader();
}

/** Gives up for now, and tries again after a while. */
export function followSoon(turn: Turn, afterMs: number): void {
  turn.change({ phase: 'following' });
  turn.candidacy.release(turn, undefined);
  turn.setTimer('election', afterMs);
}

/** 300 ms, 600 ms, … at most 2 s, each with up to half of it on top. */
export function backOff(turn: Turn): number {
  const base = Math.min(turn.t.backoffMs * 2 ** Math.min(turn.state.failures, 20), turn.t.backoffMaxMs);
  turn.change({ failures: turn.state.failures + 1 });
  return base + turn.random(base / 2);
}

/** Which node this one would name when asked. */
export function namedLeader(turn: Turn): { node: NodeId; term: number } | undefined {
  const { tenure, heard } = turn.state;
  if (tenure !== undefined) return { node: turn.self, term: tenure.term };
  if (heard === undefined || turn.now - heard.at >= turn.t.leaderFreshMs) return undefined;
  return { node: heard.node, term: heard.term };
}

/** A leader acts until then: what the store granted, and what the strategy stands behind. */
export const trustedUntil = (state: OfficeState, mandateUntil: Mono): Mono =>
  Math.min(state.tenure?.leaseUntil ?? -Infinity, mandateUntil);
