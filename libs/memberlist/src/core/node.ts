import { type Cidr, parseCidr } from './address.js';
import { Awareness } from './awareness.js';
import { BroadcastQueue } from './broadcast-queue.js';
import { noBytes } from './codec/bytes.js';
import type { Config } from './config.js';
import type { Effect } from './effects.js';
import { Evidence } from './evidence.js';
import type { Hooks } from './hooks.js';
import { MemberTable } from './member-table.js';
import type { Suspicion } from './suspicion.js';
import { Timers } from './timers.js';
import { retransmitLimit } from './timing.js';
import type { Address, Member, Rng } from './types.js';
import { ownVersions } from './versions.js';

/** The probe under way: at most one at a time. */
export interface Probe {
  readonly seqNo: number;
  /** The member as it was when the probe began: an accusation names that incarnation. */
  readonly target: Member;
  readonly startedAt: number;
  readonly deadline: number;
  stage: 'direct' | 'indirect';
  /** The datagram could not even be sent: an answer by other ways does not speak for our health. */
  sendFailed: boolean;
  expectedNacks: number;
  nacks: number;
  streamAnswered: boolean;
  /** Our own process stood still meanwhile: silence proves nothing. */
  tainted: boolean;
}

/** A probe that we make for another node. */
export interface Relay {
  readonly replyTo: Address;
  readonly theirSeqNo: number;
  readonly nackWanted: boolean;
}

/** A ping that the caller asked for. */
export interface ApiPing {
  readonly id: number;
  readonly startedAt: number;
}

/** Everything a node knows. Owned by `step`, which changes it in place: a copy for every packet of 5,000 members would be too dear. */
export interface Node {
  readonly config: Config;
  readonly hooks: Hooks;
  readonly allowed: readonly Cidr[];
  readonly table: MemberTable;
  readonly queue: BroadcastQueue;
  readonly awareness: Awareness;
  readonly timers: Timers;
  readonly evidence: Evidence;
  readonly suspicions: Map<string, Suspicion>;
  /** Earliest timer set for a suspicion of that name. One is enough: when it comes too early it is set again. */
  readonly suspicionTimers: Map<string, number>;
  readonly relays: Map<number, Relay>;
  readonly pings: Map<number, ApiPing>;
  /** When gossip found nothing to tell: it rests, and goes on in the same phase once there is something. */
  gossipRestsSince: number | undefined;
  /** Tokens of broadcasts finished during this step. */
  readonly doneTokens: number[];
  self: Omit<Member, 'incarnation' | 'state' | 'stateChange'>;
  incarnation: number;
  seqNo: number;
  probe: Probe | undefined;
  probeIndex: number;
  /** A probe tick came while a probe was running: the next one follows at once. */
  tickPending: boolean;
  leaving: boolean;
}

/** One step: the node, its input's time and chance, and the effects gathered so far. */
export interface Turn {
  readonly node: Node;
  readonly now: number;
  readonly rng: Rng;
  readonly effects: Effect[];
}

/**
 * A node that has not started. The configuration has no problems (see `configProblems`).
 * @param table what it knows already: nothing, outside of simulations
 */
export function createNode(config: Config, hooks: Hooks = {}, table = new MemberTable()): Node {
  return {
    config,
    hooks,
    allowed: config.cidrsAllowed.map(parseCidr).filter((cidr) => cidr !== undefined),
    table,
    queue: new BroadcastQueue(() => retransmitLimit(config.retransmitMult, table.size)),
    awareness: new Awareness(config.awarenessMaxMultiplier),
    timers: new Timers(),
    evidence: new Evidence(),
    suspicions: new Map(),
    suspicionTimers: new Map(),
    relays: new Map(),
    pings: new Map(),
    gossipRestsSince: undefined,
    doneTokens: [],
    self: { name: config.name, addr: noBytes, port: 0, meta: noBytes, vsn: ownVersions(config) },
    incarnation: 0,
    seqNo: 0,
    probe: undefined,
    probeIndex: 0,
    tickPending: false,
    leaving: false,
  };
}

/** The next sequence number: 32 bits, wraps. */
export function nextSeqNo(node: Node): number {
  node.seqNo = (node.seqNo + 1) >>> 0;
  return node.seqNo;
}

/** The next incarnation of ourselves. */
export function nextIncarnation(node: Node): number {
  node.incarnation = (node.incarnation + 1) >>> 0;
  return node.incarnation;
}

/** Adds a log line and a count. */
export function note(turn: Turn, code: Extract<Effect, { kind: 'note' }>['code'], detail: string): void {
  turn.effects.push({ kind: 'note', code, detail });
}
