import type { NodeId, Rng } from '@das/kernel';
import { assertNever } from '@das/kernel';
import { callElection, onElection, onNoCoordinator, onOk } from './candidacy.js';
import { eligible, noteSplitterBeat, splitterHeard } from './eligibility.js';
import { onCoordinator, onMemberAlive, onMemberGone } from './following.js';
import {
  announce,
  claim,
  onClaimFailed,
  onRenewFailed,
  onRenewed,
  onTermClaimed,
  renew,
  standBack,
  stepDown,
} from './tenure.js';
import { Turn } from './turn.js';
import type { BullyConfig, BullyEvent, BullyMessage, BullyState, BullyStep, Mono, TimerKind } from './types.js';

/** A node that has not started: it knows nobody and no term. */
export function initialState(config: BullyConfig): BullyState {
  return {
    config,
    phase: 'following',
    term: 0,
    holder: undefined,
    termOver: false,
    heard: undefined,
    quietSince: 0,
    live: new Set(),
    ignored: new Map(),
    rounds: 0,
    election: undefined,
    claim: undefined,
    tenure: undefined,
    renewal: undefined,
    failures: 0,
    storeAwayUntil: 0,
    splitter: undefined,
    replacedEpochs: [],
    deaf: false,
    graced: false,
    deadlines: {},
  };
}

/**
 * Bully over a store that grants terms (DESIGN §5): rank decides who tries, the store who leads. Needs no majority and no
 * persisted votes: two would-be leaders hold different terms, and the store refuses the acts of the lower one.
 * A higher-ranked node that joins does not take over from a healthy leader.
 */
export function step(state: BullyState, event: BullyEvent, now: Mono, rng: Rng): BullyStep {
  const turn = new Turn(state, now, rng);
  // First of all, for any event may come after a pause: who cannot be sure to hold its term does nothing more with it.
  if (state.tenure !== undefined && now >= state.tenure.leaseUntil) stepDown(turn, 'leaseLost');
  if (turn.state.phase === 'stopped' && event.kind !== 'termClaimed') return turn.done();
  dispatch(turn, event);
  return turn.done();
}

function dispatch(turn: Turn, event: BullyEvent): void {
  switch (event.kind) {
    case 'started':
      turn.change({ quietSince: turn.now });
      return turn.waitForLeader();
    case 'stop':
      stepDown(turn, 'stopped');
      return turn.change({ phase: 'stopped', election: undefined, deadlines: {} });
    case 'message':
      return onMessage(turn, event.message);
    case 'timer':
      return onTimer(turn, event.timer);
    case 'memberAlive':
      return onMemberAlive(turn, event.node);
    case 'memberDead':
    case 'memberLeft':
      return onMemberGone(turn, event.node);
    case 'termClaimed':
      return onTermClaimed(turn, event);
    case 'claimFailed':
      return onClaimFailed(turn, event.above);
    case 'renewed':
      return onRenewed(turn, event);
    case 'renewFailed':
      return onRenewFailed(turn, event.asked);
    case 'termSeen':
      return turn.learnTerm(event.term, event.leader);
    case 'splitterBeat':
      return onSplitterBeat(turn, event.epoch);
    case 'deaf':
      return turn.change({ deaf: true });
    case 'hearing':
      return onHearing(turn);
    default:
      return assertNever(event);
  }
}

function onMessage(turn: Turn, message: BullyMessage): void {
  switch (message.kind) {
    case 'election':
      return onElection(turn, message);
    case 'ok':
      return onOk(turn, message);
    case 'coordinator':
      return onCoordinator(turn, message);
    default:
      return assertNever(message);
  }
}

function onTimer(turn: Turn, timer: TimerKind): void {
  const deadline = turn.state.deadlines[timer];
  if (deadline === undefined || deadline > turn.now) return;
  turn.clearTimers(timer);
  switch (timer) {
    case 'election':
      return onElectionTimer(turn, turn.now - deadline);
    case 'ok':
      return claim(turn);
    case 'coordinator':
      return onNoCoordinator(turn);
    case 'heartbeat':
      return announce(turn);
    case 'renew':
      return renew(turn);
    case 'splitter':
      return onSplitterTimer(turn, turn.now - deadline);
    case 'lease':
      // `step` has stepped down already when the lease was over.
      return;
    default:
      return assertNever(timer);
  }
}

/** A process that stood still first reads what came meanwhile. Once: on a machine that is always late, someone must still lead. */
function onElectionTimer(turn: Turn, late: number): void {
  if (late > turn.t.lateMs && !turn.state.graced) {
    turn.change({ graced: true });
    return turn.setTimer('election', turn.t.heartbeatMs * 2);
  }
  if (turn.state.phase === 'following') callElection(turn);
}

function onSplitterTimer(turn: Turn, late: number): void {
  const { splitter } = turn.state;
  const silentFor = turn.now - (splitter?.at ?? -Infinity);
  // Deaf, or late after a pause, its beats may wait in our own queue: one more beat's time, as long as the lease could have lasted.
  const grace = (turn.state.deaf || late > turn.t.lateMs) && silentFor < turn.t.leaseMs;
  if (grace) return turn.setTimer('splitter', turn.t.splitterBeatMs);
  if (!splitterHeard(turn.state, turn.now)) return stepDown(turn, 'splitterSilent');
  turn.setTimer('splitter', turn.t.splitterBeatMs * turn.t.splitterMissesMax - silentFor);
}

function onSplitterBeat(turn: Turn, epoch: string): void {
  const wasEligible = eligible(turn.state, turn.now);
  const instance = noteSplitterBeat(turn, epoch);
  if (instance === 'new' && turn.state.phase === 'leading') {
    // The previous instance may still have acts under way: under the next term the store refuses them.
    stepDown(turn, 'splitterRestarted');
    return claim(turn);
  }
  const quiet = turn.now - turn.state.quietSince >= turn.t.leaderTimeoutMs;
  if (!wasEligible && quiet && turn.state.phase === 'following' && eligible(turn.state, turn.now)) {
    turn.setTimer('election', turn.random(turn.t.spreadMs));
  }
}

/** Back on the bus: whoever is there gets one full timeout to be heard. */
function onHearing(turn: Turn): void {
  const { splitter, phase } = turn.state;
  turn.change({ deaf: false, quietSince: turn.now });
  if (splitter !== undefined) turn.change({ splitter: { ...splitter, at: turn.now } });
  turn.clearTimers('ok', 'coordinator');
  if (phase === 'following' || phase === 'calling' || phase === 'awaiting') standBack(turn);
}

/** Who leads, as this node knows it now; nobody when the leader was not heard for L. */
export function leaderOf(state: BullyState, now: Mono): { readonly leader: NodeId | undefined; readonly term: number } {
  const { tenure, heard, config } = state;
  if (tenure !== undefined) return { leader: now < tenure.leaseUntil ? config.self : undefined, term: tenure.term };
  const fresh = heard !== undefined && now - heard.at < config.timings.leaderTimeoutMs + config.timings.spreadMs;
  return { leader: fresh ? heard.node : undefined, term: state.term };
}
