import { whoBlocks } from './blocked.js';
import type { Turn } from '../office/turn.js';
import { sendTo, sendToOthers } from './letters.js';
import { save } from './saving.js';
import type { RaftMessage, RaftState, Vote } from './types.js';
import { majorityOf } from './voters.js';

type RaftTurn = Turn<RaftState>;

/** What the vote store holds. After any restart a promise may still run that was given before: nobody gets a vote for that long. */
export function onVoteLoaded(turn: RaftTurn, found: Vote | 'empty' | 'corrupt'): void {
  turn.change({ bootUntil: turn.now + turn.t.raft.promiseMs });
  if (found === 'empty' || found === 'corrupt') {
    turn.change({ recovery: { why: found, told: new Map() } });
    return askRounds(turn);
  }
  turn.change({ vote: found, durable: found, recovery: undefined });
}

/** A voter that forgot what it promised asks until enough of the others have told what they know. */
export function askRounds(turn: RaftTurn): void {
  const { recovery, config } = turn.state;
  if (recovery === undefined || recovery.why === 'unread' || !config.voters.includes(turn.self)) return;
  if (recover(turn)) return;
  sendToOthers(turn, { kind: 'askRound' });
  turn.setTimer('recover', turn.t.raft.recoverEveryMs);
}

export function onAskRound(turn: RaftTurn, { from }: RaftMessage): void {
  const { durable, recovery, saving } = turn.state;
  // What is not on disk yet may be forgotten again.
  if (saving !== undefined || recovery?.why === 'unread') return;
  sendTo(turn, from, { kind: 'tellRound', round: recovery === undefined ? durable?.round : undefined });
}

export function onTellRound(turn: RaftTurn, { from, round }: Extract<RaftMessage, { kind: 'tellRound' }>): void {
  const { recovery, config } = turn.state;
  if (recovery === undefined || recovery.why === 'unread' || !config.voters.includes(from)) return;
  turn.change({ recovery: { ...recovery, told: new Map(recovery.told).set(from, round ?? 'forgot') } });
  recover(turn);
}

/**
 * - Nobody was ever granted a term, and the store is new: there is nothing to forget.
 * - n − q + 1 others told their rounds: among them is one of every majority that this node may have voted with.
 * - All others have forgotten too: nobody leads, and nobody's vote counts any more.
 * Its own vote in the round it takes up is kept from everyone, and it waits for promises once more.
 */
function recover(turn: RaftTurn): boolean {
  const { recovery, config, term, storeSeen, saving } = turn.state;
  if (recovery === undefined || saving !== undefined) return false;
  const known = [...recovery.told.values()].filter((told) => told !== 'forgot');
  const enough = config.voters.length - majorityOf(config.voters) + 1;
  const fresh = recovery.why === 'empty' && storeSeen && term === 0 && known.every((round) => round === 0);
  const nobodyKnows = known.length === 0 && recovery.told.size === config.voters.length - 1;
  if (!fresh && known.length < enough && !(nobodyKnows && storeSeen)) return false;
  const round = Math.max(term, ...known) + (fresh ? 0 : 1);
  turn.clearTimers('recover');
  turn.change({ recovery: undefined, bootUntil: turn.now + turn.t.raft.promiseMs });
  save(turn, { round, votedFor: fresh ? undefined : turn.self }, { kind: 'nothing' });
  whoBlocks(turn);
  return true;
}
