import type { Member } from './core/types.js';
import type { EngineNote } from './engine/listener.js';

/**
 * What a user of the library adds. All are optional. Questions must be answered at once; notices come one at a time and in order,
 * and what they throw becomes a note; what `onNote` throws is dropped. Which questions are there is read once, when the node is made:
 * `broadcasts`, `aliveProblem`, `mergeProblem` and `noStreamPing` assigned later are never asked.
 */
export interface Delegates {
  /** Our attributes, at most `limit` bytes; asked at the start and at every update. Default: none. */
  nodeMeta?(limit: number): Uint8Array;
  /** A user message came. Gossiped ones may come more than once. */
  notifyMessage?(payload: Uint8Array): void;
  /** User messages to gossip: `limit` bytes in all, `overhead` for each. A `BroadcastQueue` answers this with `take`. */
  broadcasts?(overhead: number, limit: number): readonly Uint8Array[];
  /** Our part of a push/pull besides the members. */
  localState?(join: boolean): Uint8Array;
  /** The other's part of a push/pull; not called when it is empty. */
  mergeRemoteState?(payload: Uint8Array, join: boolean): void;
  /** A member is there, for the first time or again. We ourselves are the first. */
  onJoin?(member: Member): void;
  /** A member is `dead` or has `left`. */
  onLeave?(member: Member): void;
  /** A member has new attributes. */
  onUpdate?(member: Member): void;
  /** A member does not answer; it is present still. */
  onSuspect?(member: Member): void;
  /** A suspect proved to be alive. */
  onRefute?(member: Member): void;
  /** A node at another address claims a member's name; it is ignored. */
  onConflict?(existing: Member, other: Member): void;
  /** Why another cluster's members may not join ours, or nothing. */
  mergeProblem?(members: readonly Member[]): string | undefined;
  /** Why a node's announcement is to be ignored, or nothing. Asked for ourselves too. */
  aliveProblem?(member: Member): string | undefined;
  /** What our answers to probes carry. */
  ackPayload?(): Uint8Array | undefined;
  /** A probe of ours was answered directly. */
  onPing?(member: Member, rttMs: number, payload: Uint8Array): void;
  /** Whether a member must not be probed over a stream, as `disableTcpPings` says for all. */
  noStreamPing?(name: string): boolean;
  /** How many of the protocol's broadcasts wait, every `queueCheckIntervalMs`: for a metric. */
  onQueueDepth?(waiting: number): void;
  /** Something was dropped or noticed: a log line, and a count by its code. */
  onNote?(note: EngineNote): void;
}
