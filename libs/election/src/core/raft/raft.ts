import type { NodeId } from '@das/kernel';
import type { Candidacy, OwnEvent } from '../office/candidacy.js';
import { yields } from '../office/eligibility.js';
import { strategyOf } from '../office/machine.js';
import type { Turn } from '../office/turn.js';
import { highestRanked } from '../rank.js';
import type { AddressedMessage, TimerKind } from '../types.js';
import { dropBallot, onBallotTimer, onVoteReply, stand } from './ballot.js';
import { sendToOthers } from './letters.js';
import { onBeatReply } from './leader.js';
import { compareLists, misfitWords, sameList } from './lists.js';
import { onBeatTimer } from './mandate.js';
import { askRounds, onAskRound, onTellRound, onVoteLoaded } from './recovery.js';
import type { RaftMessage, RaftState } from './types.js';
import { roundMax } from './types.js';
import { onBeat, onPreVote, onResign, onVote, onVoteSaved } from './voter.js';

type RaftTurn = Turn<RaftState>;

const raftKinds = ['preVote', 'vote', 'voteReply', 'beat', 'beatReply', 'resign', 'askRound', 'tellRound'] as const;
const isRaft = (message: AddressedMessage): message is RaftMessage =>
  (raftKinds as readonly string[]).includes(message.kind);

function onMessage(turn: RaftTurn, message: AddressedMessage): void {
  if (!isRaft(message) || message.from === turn.self || !fits(turn, message)) return;
  // A vote on its way to disk comes before all else; who is not answered asks again.
  const busy = turn.state.saving !== undefined && message.kind !== 'beatReply' && message.kind !== 'tellRound';
  if (!busy) dispatch(turn, message);
}

function dispatch(turn: RaftTurn, message: RaftMessage): void {
  switch (message.kind) {
    case 'preVote':
      return onPreVote(turn, message);
    case 'vote':
      return onVote(turn, message);
    case 'voteReply':
      return onVoteReply(turn, message);
    case 'beat':
      return onBeat(turn, message);
    case 'beatReply':
      return onBeatReply(turn, message);
    case 'resign':
      return onResign(turn, message);
    case 'askRound':
      return onAskRound(turn, message);
    case 'tellRound':
      return onTellRound(turn, message);
  }
}

/** Only voters of the same list count, and only rounds that leave room for more. Another list is said once per sender and list. */
function fits(turn: RaftTurn, message: RaftMessage): boolean {
  const { config } = turn.state;
  if (!config.voters.includes(message.from)) return false;
  const rounds = [message, 'highest' in message ? { round: message.highest } : message];
  const sane = rounds.every(
    (m) =>
      !('round' in m) || m.round === undefined || (Number.isSafeInteger(m.round) && m.round >= 0 && m.round < roundMax),
  );
  if (!sane) return false;
  return sameList(turn, message);
}

function onTimer(turn: RaftTurn, timer: TimerKind): void {
  if (timer === 'ballot') onBallotTimer(turn);
  else if (timer === 'beat') onBeatTimer(turn);
  else if (timer === 'recover') askRounds(turn);
}

function onAnswer(turn: RaftTurn, event: OwnEvent): void {
  if (event.kind === 'voteLoaded') onVoteLoaded(turn, event.vote);
  else if (event.kind === 'voteSaved') onVoteSaved(turn, event.vote, event.ok);
}

/** Gives the round back: the voters need not wait for its end. */
function release(turn: RaftTurn, to: NodeId | undefined): void {
  const { mandate } = turn.state;
  dropBallot(turn);
  turn.clearTimers('beat');
  turn.change({ mandate: undefined });
  if (mandate !== undefined) sendToOthers(turn, { kind: 'resign', round: mandate.round, to });
}

/** The voter that answered last, and of these the highest-ranked: it can be reached, and it can reach the others most likely. */
function successor(turn: RaftTurn): NodeId | undefined {
  const { mandate } = turn.state;
  if (mandate === undefined) return undefined;
  const recent = turn.now - turn.t.heartbeatMs * 2;
  const near = [...mandate.answered].filter(([, at]) => at >= recent).map(([node]) => node);
  return highestRanked(turn.state, near);
}

/**
 * Votes over a store that grants terms: a majority of configured voters decides who tries, in rounds numbered apart from the term.
 * Source: Ongaro's thesis, chapters 3, 4.2.3 (disruptive servers), 9.6 (pre-vote), 6.4.1 (leases), 3.10 (hand-over); etcd raft's
 * "in lease" refusal. There is no log, so no candidate is more up to date than another.
 */
export const raft = strategyOf<RaftState>({
  name: 'raft',
  initial: (office) => ({
    ...office,
    vote: { round: 0, votedFor: undefined },
    durable: undefined,
    saving: undefined,
    promise: undefined,
    bootUntil: Infinity,
    recovery: { why: 'unread', told: new Map() },
    ballot: undefined,
    mandate: undefined,
    blocked: undefined,
    lostBallots: 0,
    strangers: new Map(),
    agreed: new Set(),
    misfit: undefined,
  }),
  started: (turn) => turn.emit({ kind: 'loadVote' }),
  patienceMs: (turn) => {
    const { electionMs, electionSpreadMs } = turn.t.raft;
    const last = yields(turn.state, turn.now) ? electionSpreadMs : 0;
    return electionMs + last + turn.random(electionSpreadMs);
  },
  stand,
  message: onMessage,
  timer: onTimer,
  answered: onAnswer,
  memberGone: () => undefined,
  leaderHeard: (turn, leader, voters) => {
    dropBallot(turn);
    turn.change({ lostBallots: 0, blocked: undefined });
    if (voters !== undefined) compareLists(turn, leader, voters);
  },
  tookOffice: dropBallot,
  // The strategy's own message says it too, and names the round.
  leaderResigned: () => undefined,
  mandateUntil: (state) => state.mandate?.until ?? -Infinity,
  release,
  successor,
  blocked: (state) => state.blocked,
  misfit: misfitWords,
} satisfies Candidacy<RaftState>);
