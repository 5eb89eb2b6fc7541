import type { Turn } from '../office/turn.js';
import { fallBack, followRound } from './ballot.js';
import { hold } from './mandate.js';
import type { RaftMessage, RaftState } from './types.js';

/** A voter took a heartbeat, or knows a higher round: then this one's is over. */
export function onBeatReply(turn: Turn<RaftState>, reply: Extract<RaftMessage, { kind: 'beatReply' }>): void {
  const { mandate, vote, config } = turn.state;
  if (reply.highest > vote.round) {
    fallBack(turn);
    return followRound(turn, reply.highest);
  }
  const sentAt = mandate?.round === reply.round ? mandate.sent.get(reply.seq) : undefined;
  if (mandate === undefined || sentAt === undefined || !config.voters.includes(reply.from)) return;
  const newest = Math.max(sentAt, mandate.answered.get(reply.from) ?? -Infinity);
  hold(turn, { ...mandate, answered: new Map(mandate.answered).set(reply.from, newest) });
}
