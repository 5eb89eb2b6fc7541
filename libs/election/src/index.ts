export { bully } from './core/bully/bully.js';
export { lease } from './core/lease/lease.js';
export { raft } from './core/raft/raft.js';
export { checkVoters, votersHash, votersMax } from './core/raft/voters.js';
export { outranks } from './core/rank.js';
export { type Timings, checkTimings, defaultTimings, leaseTimings, raftTimings } from './core/timings.js';
export type {
  AddressedMessage,
  CoordinatorMessage,
  ElectionConfig,
  ElectionEffect,
  ElectionEvent,
  ElectionMessage,
  OfficeState,
  StrategyName,
  TimerKind,
  WhyDown,
} from './core/types.js';
export type { BullyMessage } from './core/bully/types.js';
export type { KvAsk, KvResult, LeaseMessage } from './core/lease/types.js';
export type { RaftMessage, Vote } from './core/raft/types.js';
export { MemoryBucket, MemoryKvLease } from './memory/memory-kv-lease.js';
export { JetStreamKvLease } from './nats/jetstream-kv-lease.js';
export { FileVoteStore, VoteStoreError } from './node/file-vote-store.js';
export type { ElectionStrategy } from './ports/election-strategy.js';
export { type KvLease, askKv } from './ports/kv-lease.js';
export type { CurrentTerm, TermAuthority } from './ports/term-authority.js';
export type { VoteStore } from './ports/vote-store.js';
