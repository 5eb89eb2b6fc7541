export { formatAddress, formatIp, parseIp } from './core/address.js';
export { type Broadcast, BroadcastQueue } from './core/broadcast-queue.js';
export type { Cipher } from './core/codec/cipher.js';
export { inOrder } from './core/codec/in-order.js';
export { type Message, decodeMessage } from './core/codec/message.js';
export type { PushPull } from './core/codec/stream-message.js';
export { type KeyProblem, Keyring } from './core/codec/keyring.js';
export type { Wire } from './core/codec/wire.js';
export {
  type Config,
  clusterConfig,
  configProblems,
  lanConfig,
  localConfig,
  probePeriod,
  wanConfig,
} from './core/config.js';
export type { Effect, MemberChange } from './core/effects.js';
export type { NodeEvent } from './core/events.js';
export type { Hooks } from './core/hooks.js';
export { limits } from './core/limits.js';
export { type Node, createNode } from './core/node.js';
export { localPushPull } from './core/push-pull.js';
export { seededRng } from './core/random.js';
export { nextWake, step } from './core/step.js';
export { retransmitLimit } from './core/timing.js';
export type { Address, Member, MemberState, Rng } from './core/types.js';
export type { Delegates } from './delegates.js';
export { Engine, type EngineOptions } from './engine/engine.js';
export type { EngineListener, EngineNote } from './engine/listener.js';
export { MemberlistError, type MemberlistErrorCode } from './errors.js';
export { Memberlist, type MemberlistPorts } from './memberlist.js';
export { type Faults, MemoryNetwork, MemoryTransport } from './memory/memory-network.js';
export { SimulatedNode, type SimulatedNodeOptions, Simulation } from './memory/simulation.js';
export { VirtualClock, VirtualTime } from './memory/virtual-clock.js';
export { createMemberlist } from './node/create-memberlist.js';
export { DnsResolver } from './node/dns-resolver.js';
export { NodeCipher } from './node/node-cipher.js';
export { SystemClock } from './node/system-clock.js';
export { type BindOptions, UdpTcpTransport } from './node/udp-tcp-transport.js';
export { type MemberlistOptions, resolveOptions } from './options.js';
export type { Cancel, Clock } from './ports/clock.js';
export type { Resolver } from './ports/resolver.js';
export type { Stream, StreamHandler, Transport, TransportHandler } from './ports/transport.js';
