import { hearAlive } from './alive.js';
import { hearAck, hearIndirectPing, hearNack, hearPing, pingAddress, pingEnd, relayEnd } from './answer.js';
import type { Message } from './codec/message.js';
import { hearDead } from './dead.js';
import type { Effect } from './effects.js';
import type { NodeEvent } from './events.js';
import { gossip, gossipRests } from './gossip.js';
import { leave, start, update } from './life.js';
import { type Node, type Turn, note } from './node.js';
import { corroborate, probeEnd, probeSendFailed, probeTick, probeTimeout, streamPinged } from './probe.js';
import { merge, pushPull } from './push-pull.js';
import { endSuspicion, hearSuspect } from './suspect.js';
import { remind } from './remind.js';
import type { Timer } from './timers.js';
import { pushPullScale } from './timing.js';
import type { Address, Rng } from './types.js';

/**
 * The whole protocol: what happened, to a node, at `now` (ms of any clock that does not run backwards).
 * The node is changed in place; the effects are for the caller to perform in their order. No I/O, no clock, no chance but `rng`.
 */
export function step(node: Node, event: NodeEvent, now: number, rng: Rng): Effect[] {
  const turn: Turn = { node, now, rng, effects: [] };
  handle(turn, event);
  node.timers.discard((timer) => isStale(node, timer));
  for (const token of node.doneTokens.splice(0)) turn.effects.push({ kind: 'broadcastDone', token });
  return turn.effects;
}

/** When the node wants its next `wake`, ms; nothing before it has started. */
export function nextWake(node: Node): number | undefined {
  return node.timers.next;
}

function handle(turn: Turn, event: NodeEvent): void {
  switch (event.kind) {
    case 'start':
      return start(turn, event.address, event.meta);
    case 'wake':
      return wake(turn);
    case 'message':
      return hear(turn, event.message, event.from);
    case 'sendFailed':
      return probeSendFailed(turn, event.seqNo);
    case 'streamPinged':
      return streamPinged(turn, event.seqNo, event.answered);
    case 'pushPull':
      return merge(turn, event.remote);
    case 'ping':
      return pingAddress(turn, event.to, event.node, event.id);
    case 'update':
      return update(turn, event.meta, event.token);
    case 'leave':
      return leave(turn, event.token);
    case 'paused':
      return paused(turn, event.lateMs);
  }
}

function hear(turn: Turn, message: Message, from: Address): void {
  switch (message.kind) {
    case 'ping':
      return hearPing(turn, message, from);
    case 'indirectPing':
      return hearIndirectPing(turn, message, from);
    case 'ack':
      return hearAck(turn, message);
    case 'nack':
      return hearNack(turn, message);
    case 'suspect':
      hearSuspect(turn, message);
      return corroborate(turn, message);
    case 'alive':
      return hearAlive(turn, message);
    case 'dead':
      return hearDead(turn, message);
    case 'user':
      turn.effects.push({ kind: 'userMessage', payload: message.payload });
      return;
    case 'error':
      return note(turn, 'remoteError', message.error);
  }
}

/** Fires what is due, and only what was due when we began: a timer set meanwhile waits for the next wake. */
function wake(turn: Turn): void {
  const { timers } = turn.node;
  for (let left = timers.size; left > 0; left--) {
    const due = timers.take(turn.now);
    if (due === undefined) return;
    fire(turn, due.timer, due.at);
  }
}

function fire(turn: Turn, timer: Timer, at: number): void {
  switch (timer.kind) {
    case 'probeTick':
      again(turn, timer, at, turn.node.config.probeIntervalMs);
      return probeTick(turn);
    case 'gossipTick':
      if (gossipRests(turn.node)) {
        turn.node.gossipRestsSince = at;
        return;
      }
      again(turn, timer, at, turn.node.config.gossipIntervalMs);
      return gossip(turn);
    case 'pushPullTick':
      again(turn, timer, at, pushPullScale(turn.node.config.pushPullIntervalMs, turn.node.table.size));
      return pushPull(turn);
    case 'queueCheckTick':
      again(turn, timer, at, turn.node.config.queueCheckIntervalMs);
      turn.effects.push({ kind: 'queueDepth', waiting: turn.node.queue.length });
      return;
    case 'probeTimeout':
      return probeTimeout(turn, timer.seqNo);
    case 'probeEnd':
      return probeEnd(turn, timer.seqNo);
    case 'relayEnd':
      return relayEnd(turn, timer.seqNo);
    case 'pingEnd':
      return pingEnd(turn, timer.seqNo);
    case 'suspicion':
      return endSuspicion(turn, timer.name, at);
    case 'remind':
      return remind(turn, timer.name);
  }
}

/** Whether what a timer was set for is over: nobody needs to be woken for it. */
function isStale({ probe, relays, pings }: Node, timer: Timer): boolean {
  switch (timer.kind) {
    case 'probeTimeout':
      return probe?.seqNo !== timer.seqNo || probe.stage !== 'direct';
    case 'probeEnd':
      return probe?.seqNo !== timer.seqNo;
    case 'relayEnd':
      return !relays.has(timer.seqNo);
    case 'pingEnd':
      return !pings.has(timer.seqNo);
    default:
      return false;
  }
}

/** The same phase again. Ticks that were missed meanwhile are lost. */
function again({ node, now }: Turn, timer: Timer, at: number, everyMs: number): void {
  const missed = Math.max(0, Math.floor((now - at) / everyMs));
  node.timers.set(at + (missed + 1) * everyMs, timer);
}

/** Our own lateness is our ill health, not anyone's silence (Lifeguard §III: slow processing of messages). */
function paused(turn: Turn, lateMs: number): void {
  turn.node.awareness.apply(1);
  if (turn.node.probe !== undefined) turn.node.probe.tainted = true;
  note(turn, 'paused', `this process stood still for ${Math.round(lateMs)} ms`);
}
