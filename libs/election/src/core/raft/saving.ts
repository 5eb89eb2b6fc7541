import type { NodeId } from '@das/kernel';
import type { Turn } from '../office/turn.js';
import { answerBeat, sendTo } from './letters.js';
import type { AfterSave, RaftState, Vote } from './types.js';

type RaftTurn = Turn<RaftState>;

/** Whether this node may give votes: it is a voter, knows what it promised, and its list is that of the others. */
export const mayVote = ({ config, recovery, misfit }: RaftState): boolean =>
  recovery === undefined && misfit === undefined && config.voters.includes(config.self);

export const sameVote = (a: Vote, b: Vote | undefined): boolean => a.round === b?.round && a.votedFor === b.votedFor;

/**
 * Remembers a vote, then acts on it: never the other way round, or a restart could give a second vote in one round. While a save is
 * in flight everything else of the voter waits: its messages are dropped, and come again.
 */
export function save(turn: RaftTurn, vote: Vote, then: AfterSave): void {
  turn.change({ vote });
  if (sameVote(vote, turn.state.durable)) return answer(turn, then);
  turn.change({ saving: { vote, then } });
  turn.emit({ kind: 'saveVote', vote });
}

/** Says what may be said now that the vote is durable. */
export function answer(turn: RaftTurn, then: AfterSave): void {
  const { round } = turn.state.vote;
  if (then.kind === 'grant') {
    promise(turn, then.to);
    answerVote(turn, then.to, round, false, undefined);
  } else if (then.kind === 'answerBeat') {
    promise(turn, then.to);
    answerBeat(turn, then.to, round, then.seq);
  }
}

/** From now on no other is accepted for a while, and none is tried to be. */
function promise(turn: RaftTurn, to: NodeId): void {
  turn.change({ promise: { to, until: turn.now + turn.t.raft.promiseMs } });
  turn.waitForLeader();
}

export function answerVote(turn: RaftTurn, to: NodeId, round: number, pre: boolean, why: string | undefined): void {
  const { round: highest } = turn.state.vote;
  sendTo(turn, to, { kind: 'voteReply', round, pre, granted: why === undefined, highest, why });
}
