import type { MapMessage } from './codec/message.js';
import type { Member } from './types.js';

/**
 * What the core asks its caller while it decides. Every hook must return at once and must not call the core.
 * Absent: allowed, nothing, empty.
 */
export interface Hooks {
  /** Bytes that label and encryption add to a datagram now. */
  readonly wireOverhead?: () => number;
  /** Why an `alive` is to be ignored, or nothing. Asked for ourselves too. */
  readonly aliveProblem?: (member: Member) => string | undefined;
  /** Why the members of another cluster may not join ours, or nothing. */
  readonly mergeProblem?: (members: readonly Member[]) => string | undefined;
  /** User messages to gossip: within `limit` bytes, `overhead` for each. */
  readonly userBroadcasts?: (overhead: number, limit: number) => readonly Uint8Array[];
  /** The bytes of a broadcast, when they need not be made anew: thousands of simulated members share them. */
  readonly encode?: (message: MapMessage) => Uint8Array;
  /** What our acks carry. */
  readonly ackPayload?: () => Uint8Array | undefined;
  /** What our side of a push/pull carries besides the members. */
  readonly localState?: (join: boolean) => Uint8Array;
  /** Whether a member must not be probed over a stream. */
  readonly noStreamPing?: (name: string) => boolean;
}
