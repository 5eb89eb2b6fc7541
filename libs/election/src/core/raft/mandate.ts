import type { Turn } from '../office/turn.js';
import { sendToOthers } from './letters.js';
import type { Mandate, RaftState } from './types.js';
import { majorityOf } from './voters.js';

type RaftTurn = Turn<RaftState>;

/** Speaks to all voters, and notes when: the mandate is counted from here, not from the answers. */
export function sendBeat(turn: RaftTurn): void {
  const { mandate } = turn.state;
  if (mandate === undefined) return;
  const seq = mandate.seq + 1;
  const tooOld = turn.now - turn.t.raft.promiseMs;
  const sent = new Map([...mandate.sent].filter(([, at]) => at > tooOld)).set(seq, turn.now);
  hold(turn, { ...mandate, seq, sent });
  sendToOthers(turn, { kind: 'beat', round: mandate.round, seq });
  turn.setTimer('beat', turn.t.heartbeatMs / 2);
}

/** Every H; after half of it already when no majority answered the last one, so that a few lost messages end no mandate. */
export function onBeatTimer(turn: RaftTurn): void {
  const { mandate } = turn.state;
  if (mandate === undefined) return;
  const last = mandate.sent.get(mandate.seq) ?? -Infinity;
  const answered = supportedSince(turn, mandate) >= last;
  if (turn.now - last >= turn.t.heartbeatMs || !answered) return sendBeat(turn);
  turn.setTimer('beat', turn.t.heartbeatMs / 2);
}

/** The mandate lasts from the moment since which a majority, itself included, is known to have heard it. */
export function hold(turn: RaftTurn, mandate: Mandate): void {
  const until = supportedSince(turn, mandate) + turn.t.raft.mandateMs;
  turn.change({ mandate: { ...mandate, until: Math.max(mandate.until, until) } });
}

/** When the oldest of the newest heartbeats that a majority answered was sent; the own answer is always new. */
function supportedSince(turn: RaftTurn, mandate: Mandate): number {
  const { voters } = turn.state.config;
  const times = voters.map((node) => (node === turn.self ? turn.now : (mandate.answered.get(node) ?? -Infinity)));
  return times.sort((a, b) => b - a)[majorityOf(voters) - 1] ?? -Infinity;
}
