import { formatAddress } from './address.js';
import { send, sendWithPiggyback } from './broadcast.js';
import { type MessageOf, encodeMessage } from './codec/message.js';
import { noBytes } from './codec/bytes.js';
import { choosesTargets, probePeriod } from './config.js';
import { isPresent } from './member-table.js';
import { type Node, type Probe, type Turn, nextSeqNo, note } from './node.js';
import { pickRandom } from './random.js';
import { accusationOf, startReminding } from './remind.js';
import { hearSuspect } from './suspect.js';
import type { Address, Member } from './types.js';
import { newestProtocol } from './versions.js';

const streamPingProtocol = 3;
const nackProtocol = 4;
/** Members that check an accusation by themselves; two confirmations bring a suspicion to its shortest. */
const corroborators = 6;

/** Time to probe. One tick that comes too early is kept, more are lost: a node that overran does not hurry to catch up. */
export function probeTick(turn: Turn): void {
  if (turn.node.probe !== undefined) turn.node.tickPending = true;
  else probeNext(turn);
}

/** Probes the next member in the list, each once a round; at its end the long dead are forgotten and the order changes (SWIM §4.3). */
function probeNext(turn: Turn): void {
  const { node, now, rng } = turn;
  for (let checked = 0; checked < node.table.size; checked++) {
    if (node.probeIndex >= node.table.size) {
      for (const { name } of node.table.reap(now, node.config.gossipToTheDeadMs, rng)) forget(node, name);
      node.probeIndex = 0;
      continue;
    }
    bringStalestForward(turn);
    const target = node.table.at(node.probeIndex++);
    if (target !== undefined && isProbed(node, target)) return probe(turn, target);
  }
}

function forget(node: Node, name: string): void {
  node.suspicions.delete(name);
  node.evidence.forget(name);
}

function isProbed(node: Node, member: Member): boolean {
  return member.name !== node.config.name && isPresent(member);
}

/**
 * Lets the one whose life is least certain have the next turn: a suspect, so that an accusation is soon confirmed or refuted, else the one
 * that was not heard for longest. Rounds stay whole, so a failure is found within two of them as before; but few probes then do for many.
 */
function bringStalestForward({ node, now }: Turn): void {
  const { table, probeIndex, evidence } = node;
  if (!choosesTargets(node.config)) return;
  const { probeChoice, probeIntervalMs } = node.config;
  // What is older than as many turns says nothing: among thousands, whoever was once heard would wait for the end of the round.
  const oldest = now - probeChoice * probeIntervalMs;
  let [stalest, stalestAt] = [probeIndex, Number.POSITIVE_INFINITY];
  for (let position = probeIndex; position < probeIndex + probeChoice; position++) {
    const member = table.at(position);
    if (member === undefined) break;
    if (!isProbed(node, member)) continue;
    const heard = member.state === 'suspect' ? Number.NEGATIVE_INFINITY : evidence.last(member.name);
    const at = heard < oldest ? Number.NEGATIVE_INFINITY : heard;
    if (at < stalestAt) [stalest, stalestAt] = [position, at];
  }
  table.exchange(probeIndex, stalest);
}

/** A sign of life of a member of the table: whom nobody knows of is not remembered, so that strangers cannot fill the memory. */
export function hearOf({ node, now }: Turn, name: string): void {
  if (choosesTargets(node.config)) node.evidence.heard(name, now);
}

/**
 * An accusation that is news: about six members, however many there are, look for themselves at once. So it is confirmed or refuted
 * within one probe instead of when chance brings the accused's turn.
 */
export function corroborate(turn: Turn, { node: accused, from }: MessageOf<'suspect'>): void {
  const { node, now, rng } = turn;
  const member = node.table.get(accused);
  const isNews = member?.state === 'suspect' && member.stateChange === now && from !== node.config.name;
  if (!isNews || !choosesTargets(node.config) || node.probe !== undefined) return;
  if (rng() * node.table.size < corroborators) probe(turn, member);
}

/** Begins to probe one member (memberlist `state.go`, probeNode; Lifeguard §IV-A). */
export function probe(turn: Turn, target: Member): void {
  const { node, now } = turn;
  const { probeTimeoutMs } = node.config;
  const seqNo = nextSeqNo(node);
  const deadline = now + node.awareness.scale(probePeriod(node.config));
  node.probe = {
    ...{ seqNo, target, deadline, startedAt: now, stage: 'direct' },
    ...{ sendFailed: false, expectedNacks: 0, nacks: 0, streamAnswered: false, tainted: false },
  };
  node.timers.set(now + probeTimeoutMs, { kind: 'probeTimeout', seqNo });
  node.timers.set(deadline, { kind: 'probeEnd', seqNo });
  const ping = pingOf(turn, target.name, seqNo);
  if (target.state === 'alive') return sendWithPiggyback(turn, target, ping, target, seqNo);
  // The suspect hears of the accusation with the ping itself, so that it can refute before anything else (Lifeguard §IV-C).
  const accusation = accusationOf(turn, target);
  send(turn, target, [encodeMessage(ping), encodeMessage(accusation)], target, seqNo);
}

/** A ping that names us as the one to answer. */
export function pingOf(turn: Turn, target: string, seqNo: number): MessageOf<'ping'> {
  const { addr, port, name } = turn.node.self;
  return { kind: 'ping', seqNo, node: target, sourceAddr: addr, sourcePort: port, sourceNode: name };
}

/** No direct answer in time: others are asked to try, and a stream is tried. The timeout is the same however ill we are. */
export function probeTimeout(turn: Turn, seqNo: number): void {
  const probed = turn.node.probe;
  if (probed?.seqNo === seqNo && probed.stage === 'direct') probeIndirectly(turn, probed);
}

/** The probe's datagram was refused by the network: no use to wait for an answer to it. */
export function probeSendFailed(turn: Turn, seqNo: number): void {
  const probed = turn.node.probe;
  if (probed?.seqNo !== seqNo || probed.stage !== 'direct') return;
  probed.sendFailed = true;
  probeIndirectly(turn, probed);
}

function probeIndirectly(turn: Turn, probed: Probe): void {
  const { node, rng } = turn;
  probed.stage = 'indirect';
  const { target, seqNo, deadline } = probed;
  const others = pickRandom(
    node.table.all,
    node.config.indirectChecks,
    rng,
    (member) => member.state === 'alive' && member.name !== target.name && member.name !== node.config.name,
  );
  for (const other of others) {
    const nack = newestProtocol(other.vsn) >= nackProtocol;
    if (nack) probed.expectedNacks++;
    const { kind: _, node: name, ...source } = pingOf(turn, target.name, seqNo);
    const request = {
      kind: 'indirectPing',
      ...source,
      node: name,
      target: target.addr,
      port: target.port,
      nack,
    } as const;
    sendWithPiggyback(turn, other, request, other);
  }
  const disabled = node.config.disableTcpPings || node.hooks.noStreamPing?.(target.name) === true;
  if (disabled || newestProtocol(target.vsn) < streamPingProtocol) return;
  turn.effects.push({ kind: 'streamPing', to: target, node: target.name, seqNo, deadline });
}

/** The stream's answer is only used at the end: a datagram's answer until then is worth more. */
export function streamPinged(turn: Turn, seqNo: number, answered: boolean): void {
  const probed = turn.node.probe;
  if (probed?.seqNo === seqNo && answered) probed.streamAnswered = true;
}

/** An ack for the probe under way. True when it was. */
export function probeAcked(turn: Turn, ack: MessageOf<'ack'>): boolean {
  const probed = turn.node.probe;
  if (probed?.seqNo !== ack.seqNo) return false;
  if (probed.stage === 'direct') {
    const rttMs = turn.now - probed.startedAt;
    turn.effects.push({ kind: 'probed', member: probed.target, rttMs, payload: ack.payload ?? noBytes });
  }
  succeed(turn, probed);
  return true;
}

/** A relay answers for itself: it could not reach the member either, so we are not the ones who cannot be heard. */
export function probeNacked(turn: Turn, seqNo: number): boolean {
  const probed = turn.node.probe;
  if (probed?.seqNo !== seqNo) return false;
  probed.nacks = Math.min(probed.nacks + 1, probed.expectedNacks);
  return true;
}

/** Time is over. */
export function probeEnd(turn: Turn, seqNo: number): void {
  const probed = turn.node.probe;
  if (probed?.seqNo !== seqNo) return;
  if (probed.streamAnswered) {
    note(turn, 'udpBroken', `${probed.target.name} answers streams and no datagrams`);
    succeed(turn, probed);
  } else {
    fail(turn, probed);
  }
}

function succeed(turn: Turn, probed: Probe): void {
  hearOf(turn, probed.target.name);
  if (!probed.sendFailed) turn.node.awareness.apply(-1);
  finish(turn);
}

function fail(turn: Turn, probed: Probe): void {
  const { target, expectedNacks, nacks, tainted } = probed;
  if (!tainted) {
    // Missing nacks mean that we cannot be heard (Lifeguard §IV-A). Without nacks to expect, every failure may be ours.
    turn.node.awareness.apply(expectedNacks > 0 ? expectedNacks - nacks : 1);
    note(turn, 'probeFailed', `no answer from ${target.name} at ${formatAddress(target)}`);
    hearSuspect(turn, accusationOf(turn, target));
    startReminding(turn, target.name);
  }
  finish(turn);
}

function finish(turn: Turn): void {
  turn.node.probe = undefined;
  if (!turn.node.tickPending) return;
  turn.node.tickPending = false;
  probeNext(turn);
}

/** Where an answer goes: to the address the sender names, else to where the datagram came from. */
export function replyAddress(
  message: { sourceAddr?: Uint8Array | undefined; sourcePort: number },
  from: Address,
): Address {
  const { sourceAddr, sourcePort } = message;
  const named = sourceAddr !== undefined && sourceAddr.length > 0 && sourcePort > 0;
  return named ? { addr: sourceAddr, port: sourcePort } : from;
}
