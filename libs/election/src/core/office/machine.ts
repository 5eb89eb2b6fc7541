import { assertNever } from '@das/kernel';
import type { NodeId, Rng } from '@das/kernel';
import type { ElectionStrategy } from '../../ports/election-strategy.js';
import type { ElectionConfig, ElectionEvent, ElectionMessage, Mono, OfficeState, Step, TimerKind } from '../types.js';
import type { Candidacy } from './candidacy.js';
import { resignIfUnwell } from './damping.js';
import { eligible, noteLoopLag, standSoon } from './eligibility.js';
import { onCoordinator, onMemberAlive, onMemberGone } from './following.js';
import { onSplitterBeat, onSplitterTimer } from './splitter.js';
import {
  announce,
  handOver,
  onClaimFailed,
  onRenewFailed,
  onRenewed,
  onTermClaimed,
  renew,
  standBack,
  stepDown,
  trustedUntil,
} from './tenure.js';
import { Turn } from './turn.js';

/** A strategy out of a candidacy: the office around it is the same for all. */
export function strategyOf<S extends OfficeState>(candidacy: Candidacy<S>): ElectionStrategy<S> {
  return {
    name: candidacy.name,
    initialState: (config) => candidacy.initial(freshOffice(config)),
    step: (state, event, now, rng) => step(candidacy, state, event, now, rng),
    leaderOf: (state, now) => leaderOf(candidacy, state, now),
    trustedUntil: (state) => trustedUntil(state, candidacy.mandateUntil(state)),
  };
}

/** A node that has not started: it knows nobody and no term. */
function freshOffice(config: ElectionConfig): OfficeState {
  return {
    config,
    phase: 'following',
    term: 0,
    holder: undefined,
    termOver: false,
    storeSeen: false,
    changes: [],
    heard: undefined,
    quietSince: 0,
    live: new Set(),
    claim: undefined,
    tenure: undefined,
    renewal: undefined,
    failures: 0,
    storeAwayUntil: 0,
    splitter: undefined,
    replacedEpochs: [],
    health: { score: 0, slowBeats: 0 },
    demotions: [],
    yieldsUntil: 0,
    deaf: false,
    graced: false,
    deadlines: {},
  };
}

function step<S extends OfficeState>(
  candidacy: Candidacy<S>,
  state: S,
  event: ElectionEvent,
  now: Mono,
  rng: Rng,
): Step<S> {
  const turn = new Turn(state, now, rng, candidacy);
  expire(turn);
  if (turn.state.phase === 'stopped' && event.kind !== 'termClaimed') return turn.done();
  dispatch(turn, event);
  return turn.done();
}

/** First of all, for any event may come after a pause: who cannot be sure to lead does nothing more with its term. */
function expire<S extends OfficeState>(turn: Turn<S>): void {
  const { tenure, phase } = turn.state;
  const mandateOver = turn.now >= turn.candidacy.mandateUntil(turn.state);
  if (tenure !== undefined && turn.now >= tenure.leaseUntil) stepDown(turn, 'leaseLost');
  else if (tenure !== undefined && mandateOver) stepDown(turn, 'mandateLost');
  else if (phase === 'claiming' && mandateOver) standBack(turn);
}

function dispatch<S extends OfficeState>(turn: Turn<S>, event: ElectionEvent): void {
  switch (event.kind) {
    case 'started':
      turn.change({ quietSince: turn.now } as Partial<S>);
      turn.waitForLeader();
      return turn.candidacy.started(turn);
    case 'stop':
      return onStop(turn);
    case 'message':
      return onMessage(turn, event.message);
    case 'timer':
      return onTimer(turn, event.timer);
    case 'memberAlive':
      return onMemberAlive(turn, event.node);
    case 'memberDead':
    case 'memberLeft':
      return onMemberGone(turn, event.node);
    case 'voteLoaded':
    case 'voteSaved':
    case 'kvAnswered':
    case 'kvChanged':
      return turn.candidacy.answered(turn, event);
    default:
      return onOfficeEvent(turn, event);
  }
}

type OfficeEvent = Exclude<
  ElectionEvent,
  {
    kind:
      | 'started'
      | 'stop'
      | 'message'
      | 'timer'
      | 'memberAlive'
      | 'memberDead'
      | 'memberLeft'
      | 'voteLoaded'
      | 'voteSaved'
      | 'kvAnswered'
      | 'kvChanged';
  }
>;

function onOfficeEvent(turn: Turn, event: OfficeEvent): void {
  switch (event.kind) {
    case 'termClaimed':
      return onTermClaimed(turn, event);
    case 'claimFailed':
      return onClaimFailed(turn, event.above);
    case 'renewed':
      return onRenewed(turn, event);
    case 'renewFailed':
      return onRenewFailed(turn, event.asked);
    case 'termSeen':
      return onTermSeen(turn, event);
    case 'splitterBeat':
      return onSplitterBeat(turn, event.epoch);
    case 'deaf':
      return turn.change({ deaf: true });
    case 'hearing':
      return onHearing(turn);
    case 'health':
      turn.change({ health: { ...turn.state.health, score: event.score } });
      return resignIfUnwell(turn);
    case 'loopLag':
      noteLoopLag(turn, event.lagMs);
      return resignIfUnwell(turn);
    case 'resign':
      return handOver(turn, 'resigned', event.to);
    default:
      return assertNever(event);
  }
}

function onTermSeen(turn: Turn, { term, leader }: Extract<ElectionEvent, { kind: 'termSeen' }>): void {
  const first = !turn.state.storeSeen;
  turn.change({ storeSeen: true });
  turn.learnTerm(term, leader);
  if (first) standSoon(turn);
}

function onStop(turn: Turn): void {
  handOver(turn, 'stopped');
  turn.candidacy.release(turn, undefined);
  turn.change({ phase: 'stopped', deadlines: {} });
}

function onMessage<S extends OfficeState>(turn: Turn<S>, message: ElectionMessage): void {
  if (message.kind === 'coordinator') onCoordinator(turn, message);
  else turn.candidacy.message(turn, message);
}

function onTimer<S extends OfficeState>(turn: Turn<S>, timer: TimerKind): void {
  const deadline = turn.state.deadlines[timer];
  if (deadline === undefined || deadline > turn.now) return;
  turn.clearTimers(timer);
  switch (timer) {
    case 'election':
      return onElectionTimer(turn, turn.now - deadline);
    case 'heartbeat':
      return announce(turn);
    case 'renew':
      return renew(turn);
    case 'splitter':
      return onSplitterTimer(turn, turn.now - deadline);
    case 'lease':
      // `expire` has stepped down already when the lease was over.
      return;
    default:
      return turn.candidacy.timer(turn, timer);
  }
}

/** A process that stood still first reads what came meanwhile. Once: on a machine that is always late, someone must still lead. */
function onElectionTimer(turn: Turn, late: number): void {
  if (late > turn.t.lateMs && !turn.state.graced) {
    turn.change({ graced: true });
    return turn.setTimer('election', turn.t.heartbeatMs * 2);
  }
  if (turn.state.phase !== 'following') return;
  turn.change({ graced: false });
  if (eligible(turn.state, turn.now)) turn.candidacy.stand(turn);
  else standBack(turn);
}

/** Back on the bus: whoever is there gets one full timeout to be heard. */
function onHearing(turn: Turn): void {
  const { splitter, phase } = turn.state;
  turn.change({ deaf: false, quietSince: turn.now });
  if (splitter !== undefined) turn.change({ splitter: { ...splitter, at: turn.now } });
  if (phase === 'following' || phase === 'calling' || phase === 'awaiting') standBack(turn);
}

/** Who leads, as this node knows it now; nobody when the leader was not heard for L. */
function leaderOf<S extends OfficeState>(
  candidacy: Candidacy<S>,
  state: S,
  now: Mono,
): ReturnType<ElectionStrategy<S>['leaderOf']> {
  const { tenure, heard, config } = state;
  const blocked = candidacy.blocked(state);
  const misfit = candidacy.misfit?.(state);
  if (tenure !== undefined) {
    const valid = now < trustedUntil(state, candidacy.mandateUntil(state));
    return { leader: valid ? config.self : undefined, term: tenure.term, blocked, misfit };
  }
  const fresh = heard !== undefined && now - heard.at < config.timings.leaderTimeoutMs + config.timings.spreadMs;
  const leader: NodeId | undefined = fresh ? heard.node : undefined;
  return { leader, term: state.term, blocked: fresh ? undefined : blocked, misfit };
}
