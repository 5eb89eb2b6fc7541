import type { Member } from '@das/contracts';
import type { Cancel } from '@das/kernel';

/** Called with a member whose state, incarnation or attributes changed. */
export type MemberListener = (member: Member) => void;

/**
 * Role: says who is here, as this node sees it; a hint for others, never a proof.
 * Ordering: changes of one member come in order. The own node is a member too, and alive until `stop`.
 * Adapters: heartbeats over the bus ({@link HeartbeatMembers}).
 */
export interface MemberEvents {
  /** Everyone known now: alive, suspect, dead and left, the latter two until they are forgotten. */
  members(): readonly Member[];
  onChange(listener: MemberListener): Cancel;
  /** Starts to speak and to listen. */
  start(): Promise<void>;
  /** Says goodbye and stops. Twice is fine. */
  stop(): void;
}
