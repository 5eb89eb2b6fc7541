import type { NodeId } from '@das/kernel';
import type { Turn } from '../office/turn.js';
import { askVotes, fallBack, startVote } from './ballot.js';
import { answerBeat } from './letters.js';
import { answer, answerVote, mayVote, sameVote, save } from './saving.js';
import type { HandOver, RaftMessage, RaftState, Vote } from './types.js';

type RaftTurn = Turn<RaftState>;
type Of<K extends RaftMessage['kind']> = Extract<RaftMessage, { kind: K }>;

/** The store's answer. A failed save leaves the vote given in memory, so that no other is given; nobody is told of it. */
export function onVoteSaved(turn: RaftTurn, vote: Vote, ok: boolean): void {
  const { saving } = turn.state;
  if (saving === undefined || !sameVote(vote, saving.vote)) return;
  turn.change({ saving: undefined });
  if (ok) {
    turn.change({ durable: vote });
    return saving.then.kind === 'askVotes' ? askVotes(turn, saving.then.handOver) : answer(turn, saving.then);
  }
  if (saving.then.kind === 'askVotes') turn.change({ phase: 'following' });
  turn.waitForLeader();
}

/** To whom this voter is bound: the leader it heard, the candidate it voted for, or itself while a majority stands behind it. */
function boundTo(state: RaftState, now: number): NodeId | undefined {
  if (state.mandate !== undefined && now < state.mandate.until) return state.config.self;
  return state.promise !== undefined && now < state.promise.until ? state.promise.to : undefined;
}

/** "Would you?" Nothing is kept of it, so a node that nobody can hear raises no round. */
export function onPreVote(turn: RaftTurn, { from, round }: Of<'preVote'>): void {
  if (!mayVote(turn.state)) return;
  answerVote(turn, from, round, true, whyNot(turn, from, round, undefined));
}

export function onVote(turn: RaftTurn, { from, round, handOver }: Of<'vote'>): void {
  if (!mayVote(turn.state)) return;
  const why = whyNot(turn, from, round, handOver);
  if (why !== undefined) return answerVote(turn, from, round, false, why);
  fallBack(turn);
  save(turn, { round, votedFor: from }, { kind: 'grant', to: from });
}

/** Why a vote is refused, in words; undefined when it is given. */
function whyNot(turn: RaftTurn, from: NodeId, round: number, handOver: HandOver | undefined): string | undefined {
  const { vote, bootUntil } = turn.state;
  const bound = boundTo(turn.state, turn.now);
  const released = handOver !== undefined && bound === handOver.leader && vote.round === handOver.round;
  const again = round === vote.round && vote.votedFor === from;
  if (round < vote.round) return `knows round ${vote.round}`;
  if (bound !== undefined && bound !== from && !released) return `has promised itself to ${bound}`;
  if (turn.now < bootUntil && !again) return 'has just started and waits for promises of its life before';
  if (round === vote.round && vote.votedFor !== undefined && !again) return `has no vote left in round ${round}`;
  return undefined;
}

/**
 * A leader speaks. Accepted in its round or a higher one even against an own vote, for a majority stands behind it: otherwise a
 * failed candidate of the same round would stay an orphan.
 */
export function onBeat(turn: RaftTurn, { from, round, seq }: Of<'beat'>): void {
  const { vote } = turn.state;
  if (round < vote.round) return answerBeat(turn, from, round, seq);
  if (round === vote.round && turn.state.mandate?.round === round) {
    return turn.emit({ kind: 'defect', message: `${from} leads in round ${round}, which is this node's own` });
  }
  fallBack(turn);
  turn.change({ lostBallots: 0, blocked: undefined, graced: false, quietSince: turn.now });
  if (!mayVote(turn.state)) return turn.waitForLeader();
  const next: Vote = round > vote.round ? { round, votedFor: undefined } : vote;
  save(turn, next, { kind: 'answerBeat', to: from, seq });
}

/** The leader it is bound to leads no more. The one that it named goes straight to the vote. */
export function onResign(turn: RaftTurn, { from, round, to }: Of<'resign'>): void {
  const { promise: given, vote } = turn.state;
  if (given?.to !== from || round !== vote.round) return;
  turn.change({ promise: undefined });
  if (turn.state.phase !== 'following') return;
  if (to === turn.self) return startVote(turn, { leader: from, round });
  const first = to === undefined ? 0 : turn.t.damping.successorFirstMs * 2;
  turn.setTimer('election', first + turn.random(turn.t.raft.electionSpreadMs / 4));
}
