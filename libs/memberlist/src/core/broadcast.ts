import { compoundOverhead } from './codec/compound.js';
import { type MapMessage, encodeMessage, encodeUser } from './codec/message.js';
import type { Node, Turn } from './node.js';
import type { Address, Member } from './types.js';
import { newestProtocol } from './versions.js';

/** First protocol version whose receivers know checksums. */
const crcProtocol = 5;

/** Queues a message about a member; it replaces an older one about the same. `token` is told when it is done. */
export function broadcast(turn: Turn, name: string, message: MapMessage, token?: number): void {
  const { node } = turn;
  const finished = token === undefined ? undefined : (): void => void node.doneTokens.push(token);
  const bytes = node.hooks.encode?.(message) ?? encodeMessage(message);
  node.queue.add({ name, message: bytes, ...(finished && { finished }) });
  resumeGossip(turn);
}

function resumeGossip({ node, now }: Turn): void {
  const { gossipRestsSince: since, config } = node;
  if (since === undefined) return;
  node.gossipRestsSince = undefined;
  const missed = Math.floor((now - since) / config.gossipIntervalMs);
  node.timers.set(since + (missed + 1) * config.gossipIntervalMs, { kind: 'gossipTick' });
}

/** Broadcasts for one packet: the protocol's own first, then the delegate's, framed as user messages. */
export function takeBroadcasts(node: Node, overhead: number, limit: number): Uint8Array[] {
  const own = node.queue.take(overhead, limit);
  const left = own.reduce((room, message) => room - overhead - message.length, limit);
  if (node.hooks.userBroadcasts === undefined || left <= overhead + 1) return own;
  return [...own, ...node.hooks.userBroadcasts(overhead + 1, left).map(encodeUser)];
}

/** Sends a message with as many broadcasts as fit beside it. */
export function sendWithPiggyback(
  turn: Turn,
  to: Address,
  message: MapMessage,
  receiver?: Member,
  probe?: number,
): void {
  const { node } = turn;
  const bytes = encodeMessage(message);
  const room = node.config.udpBufferBytes - bytes.length - compoundOverhead.header - wireOverheadOf(node);
  const messages = [bytes, ...takeBroadcasts(node, compoundOverhead.part, room)];
  send(turn, to, messages, receiver, probe);
}

/** Sends messages as they are. A checksum is added for receivers that are known to take it. */
export function send(
  turn: Turn,
  to: Address,
  messages: readonly Uint8Array[],
  receiver?: Member,
  probe?: number,
): void {
  const crc = receiver !== undefined && newestProtocol(receiver.vsn) >= crcProtocol;
  turn.effects.push({ kind: 'packet', to, messages, crc, ...(probe !== undefined && { probe }) });
}

/** Bytes that label and encryption add. */
export function wireOverheadOf(node: Node): number {
  return node.hooks.wireOverhead?.() ?? 0;
}
