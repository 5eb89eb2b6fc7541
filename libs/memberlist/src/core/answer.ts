import { isAddr, sameAddress } from './address.js';
import { sendWithPiggyback } from './broadcast.js';
import type { MessageOf } from './codec/message.js';
import { limits } from './limits.js';
import { type Turn, nextSeqNo, note } from './node.js';
import { hearOf, pingOf, probeAcked, probeNacked, replyAddress } from './probe.js';
import type { Address, Member } from './types.js';

/** Someone probes us: the answer goes out at once, before anything queued. */
export function hearPing(turn: Turn, ping: MessageOf<'ping'>, from: Address): void {
  const { node } = turn;
  if (ping.node !== '' && ping.node !== node.config.name) {
    return note(turn, 'wrongNode', `ping for ${JSON.stringify(ping.node)}`);
  }
  const replyTo = replyOf(ping, from);
  const source = node.table.get(ping.sourceNode ?? '');
  // What a ping says of its sender anybody may say: the datagram itself has to come from there.
  if (source !== undefined && sameAddress(source, from)) hearOf(turn, source.name);
  const payload = node.hooks.ackPayload?.();
  sendAnswer(turn, replyTo, { kind: 'ack', seqNo: ping.seqNo, payload }, ping.sourceNode);
}

/** Someone who got no answer asks us to try (SWIM §3.1, ping-req). */
export function hearIndirectPing(turn: Turn, request: MessageOf<'indirectPing'>, from: Address): void {
  const { node, now } = turn;
  if (node.relays.size >= limits.relaysMax) return note(turn, 'relaysFull', `${limits.relaysMax} probes for others`);
  if (!isAddr(request.target)) return note(turn, 'badMember', 'indirect ping of no address');
  const seqNo = nextSeqNo(node);
  const replyTo = replyOf(request, from);
  node.relays.set(seqNo, { replyTo, theirSeqNo: request.seqNo, nackWanted: request.nack });
  node.timers.set(now + node.config.probeTimeoutMs, { kind: 'relayEnd', seqNo });
  const port = node.config.protocolVersion < 2 || request.port === 0 ? node.config.bindPort : request.port;
  const target = { addr: request.target, port };
  sendWithPiggyback(turn, target, pingOf(turn, request.node, seqNo), node.table.get(request.node));
}

/** The time for a relayed probe is over; its ack would have ended it before. */
export function relayEnd(turn: Turn, seqNo: number): void {
  const relay = turn.node.relays.get(seqNo);
  if (!turn.node.relays.delete(seqNo) || relay?.nackWanted !== true) return;
  sendAnswer(turn, relay.replyTo, { kind: 'nack', seqNo: relay.theirSeqNo });
}

/** An ack belongs to our probe, to one we relay, or to a ping that was asked for; else it came too late. */
export function hearAck(turn: Turn, ack: MessageOf<'ack'>): void {
  const { node } = turn;
  if (probeAcked(turn, ack)) return;
  const relay = node.relays.get(ack.seqNo);
  if (relay !== undefined) {
    node.relays.delete(ack.seqNo);
    return sendAnswer(turn, relay.replyTo, { kind: 'ack', seqNo: relay.theirSeqNo, payload: undefined });
  }
  const ping = node.pings.get(ack.seqNo);
  if (ping === undefined) return note(turn, 'unknownAck', `sequence number ${ack.seqNo}`);
  node.pings.delete(ack.seqNo);
  turn.effects.push({ kind: 'pinged', id: ping.id, rttMs: turn.now - ping.startedAt });
}

/** A nack does not end anything: the ack may still come. */
export function hearNack(turn: Turn, nack: MessageOf<'nack'>): void {
  if (!probeNacked(turn, nack.seqNo)) note(turn, 'unknownAck', `nack of sequence number ${nack.seqNo}`);
}

/** A ping that the caller asked for: direct only. */
export function pingAddress(turn: Turn, to: Address, name: string, id: number): void {
  const { node, now } = turn;
  const seqNo = nextSeqNo(node);
  node.pings.set(seqNo, { id, startedAt: now });
  node.timers.set(now + node.config.probeTimeoutMs, { kind: 'pingEnd', seqNo });
  sendWithPiggyback(turn, to, pingOf(turn, name, seqNo), node.table.get(name));
}

/** No answer to a ping that the caller asked for. */
export function pingEnd(turn: Turn, seqNo: number): void {
  const ping = turn.node.pings.get(seqNo);
  if (ping === undefined) return;
  turn.node.pings.delete(seqNo);
  turn.effects.push({ kind: 'pinged', id: ping.id, rttMs: undefined });
}

function replyOf(message: MessageOf<'ping'> | MessageOf<'indirectPing'>, from: Address): Address {
  const reply = replyAddress(message, from);
  return isAddr(reply.addr) ? reply : from;
}

function sendAnswer(turn: Turn, to: Address, answer: MessageOf<'ack'> | MessageOf<'nack'>, name = ''): void {
  const receiver: Member | undefined = turn.node.table.get(name);
  sendWithPiggyback(turn, to, answer, receiver);
}
