import type { NodeId } from '@das/kernel';
import type { Turn } from '../office/turn.js';
import type { RaftMessage, RaftState } from './types.js';
import { votersHash } from './voters.js';

type Body<M> = M extends unknown ? Omit<M, 'from' | 'voters'> : never;

/** Signs a message with its sender and the list of voters it goes by. */
export function sendTo(turn: Turn<RaftState>, to: NodeId, body: Body<RaftMessage>): void {
  const { self, voters } = turn.state.config;
  const message = { ...body, from: self, voters: votersHash(voters), list: voters } as RaftMessage;
  turn.emit({ kind: 'send', to, message });
}

export function sendToOthers(turn: Turn<RaftState>, body: Body<RaftMessage>): void {
  for (const to of turn.state.config.voters) if (to !== turn.self) sendTo(turn, to, body);
}

/** Says that a heartbeat was taken, or, by a higher round, that its round is over. */
export function answerBeat(turn: Turn<RaftState>, to: NodeId, round: number, seq: number): void {
  sendTo(turn, to, { kind: 'beatReply', round, seq, highest: turn.state.vote.round });
}
