import { eligible } from '../office/eligibility.js';
import { claim, stepDown } from '../office/tenure.js';
import type { Turn } from '../office/turn.js';
import { whoBlocks } from './blocked.js';
import { sendTo } from './letters.js';
import { sendBeat } from './mandate.js';
import { mayVote, save } from './saving.js';
import type { Ballot, HandOver, RaftMessage, RaftState } from './types.js';
import { roundMax } from './types.js';

import { majorityOf } from './voters.js';

type RaftTurn = Turn<RaftState>;
type Reply = Extract<RaftMessage, { kind: 'voteReply' }>;

/** Nobody was heard for a while: asks whether a vote would be won, before a round is spent on it. */
export function stand(turn: RaftTurn): void {
  const { state, now } = turn;
  if (!state.config.voters.includes(turn.self)) return turn.waitForLeader();
  if (!mayVote(state)) {
    whoBlocks(turn);
    return turn.waitForLeader();
  }
  const bound = Math.max(state.bootUntil, state.promise?.until ?? -Infinity);
  if (state.saving !== undefined || now < bound || state.vote.round >= roundMax - 1) return turn.waitForLeader();
  open(turn, { kind: 'pre', round: state.vote.round + 1, handOver: undefined });
}

/** A round of its own, with its own vote in it: first remembered, then asked for. */
export function startVote(turn: RaftTurn, handOver: HandOver | undefined): void {
  const { state } = turn;
  if (!mayVote(state) || state.saving !== undefined || !eligible(state, turn.now)) return giveUp(turn);
  turn.clearTimers('election', 'ballot');
  turn.change({ ballot: undefined, phase: 'awaiting' });
  save(turn, { round: state.vote.round + 1, votedFor: turn.self }, { kind: 'askVotes', handOver });
}

/** The own vote is durable. */
export function askVotes(turn: RaftTurn, handOver: HandOver | undefined): void {
  if (turn.state.phase !== 'awaiting' || !eligible(turn.state, turn.now)) return giveUp(turn);
  open(turn, { kind: 'vote', round: turn.state.vote.round, handOver });
}

function open(turn: RaftTurn, ballot: Pick<Ballot, 'kind' | 'round' | 'handOver'>): void {
  turn.clearTimers('election');
  turn.change({ phase: ballot.kind === 'pre' ? 'calling' : 'awaiting' });
  turn.change({ ballot: { ...ballot, startedAt: turn.now, granted: new Set([turn.self]), refused: new Map() } });
  ask(turn);
  countVotes(turn);
}

/** At first, and again for those who did not answer. */
function ask(turn: RaftTurn): void {
  const { ballot, config } = turn.state;
  if (ballot === undefined) return;
  const { kind, round, handOver } = ballot;
  for (const to of config.voters) {
    if (ballot.granted.has(to) || ballot.refused.has(to)) continue;
    sendTo(turn, to, kind === 'pre' ? { kind: 'preVote', round } : { kind: 'vote', round, handOver });
  }
  turn.setTimer('ballot', turn.t.raft.ballotRepeatMs);
}

export function onBallotTimer(turn: RaftTurn): void {
  const { ballot } = turn.state;
  if (ballot === undefined) return;
  if (turn.now - ballot.startedAt < turn.t.raft.ballotMs) return ask(turn);
  turn.change({ lostBallots: turn.state.lostBallots + 1 });
  whoBlocks(turn);
  giveUp(turn);
}

/** Counted only while the ballot is young by the own clock: one that was paused must not complete what is over. */
export function onVoteReply(turn: RaftTurn, reply: Reply): void {
  const { ballot, vote } = turn.state;
  if (!reply.granted && reply.highest > vote.round) return followRound(turn, reply.highest);
  const current = ballot !== undefined && ballot.round === reply.round && (ballot.kind === 'pre') === reply.pre;
  if (!current || turn.now - ballot.startedAt >= turn.t.raft.ballotMs) return;
  if (!turn.state.config.voters.includes(reply.from)) return;
  if (!reply.granted) {
    const refused = new Map(ballot.refused).set(reply.from, reply.why ?? 'refuses');
    return turn.change({ ballot: { ...ballot, refused } });
  }
  turn.change({ ballot: { ...ballot, granted: new Set(ballot.granted).add(reply.from) } });
  countVotes(turn);
}

function countVotes(turn: RaftTurn): void {
  const { ballot, config } = turn.state;
  if (ballot === undefined || ballot.granted.size < majorityOf(config.voters)) return;
  if (ballot.kind === 'pre') return startVote(turn, undefined);
  turn.clearTimers('ballot');
  const answered = new Map([...ballot.granted].map((node) => [node, ballot.startedAt]));
  const until = ballot.startedAt + turn.t.raft.mandateMs;
  turn.change({ ballot: undefined, promise: undefined, lostBallots: 0, blocked: undefined });
  turn.change({ mandate: { round: ballot.round, until, seq: 0, sent: new Map(), answered } });
  sendBeat(turn);
  claim(turn);
}

/** Someone knows a higher round: it is taken over, with no vote given in it, and this node follows. */
export function followRound(turn: RaftTurn, round: number): void {
  if (turn.state.saving !== undefined) return;
  giveUp(turn);
  if (round < roundMax && mayVote(turn.state)) save(turn, { round, votedFor: undefined }, { kind: 'nothing' });
}

/** Ends what is being asked; what was granted meanwhile counts no more. */
export function dropBallot(turn: RaftTurn): void {
  const { saving } = turn.state;
  turn.clearTimers('ballot');
  turn.change({ ballot: undefined });
  if (saving?.then.kind === 'askVotes') turn.change({ saving: { ...saving, then: { kind: 'nothing' } } });
}

/** Someone else is heard with a better right: whatever this node tried or led is over. */
export function fallBack(turn: RaftTurn): void {
  dropBallot(turn);
  stepDown(turn, 'mandateLost');
  turn.candidacy.release(turn, undefined);
  turn.change({ phase: 'following' });
  turn.waitForLeader();
}

function giveUp(turn: RaftTurn): void {
  dropBallot(turn);
  if (turn.state.phase === 'calling' || turn.state.phase === 'awaiting') turn.change({ phase: 'following' });
  if (turn.state.phase === 'following') turn.waitForLeader();
}
