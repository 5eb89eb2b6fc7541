import type { Member } from '@das/contracts';
import type { Cancel } from '@das/kernel';

/** `updated`: new attributes, or a suspicion refuted. */
export type MemberEventKind = 'joined' | 'suspected' | 'dead' | 'left' | 'updated';
export type MemberListener = (kind: MemberEventKind, member: Member) => void;

/**
 * Role: says who is here, as this node sees it; a hint for others, never a proof.
 * Ordering: events of one member come in order, each once. The own node is a member too, alive until `stop`.
 * Adapters: gossip ({@link GossipMembers}).
 */
export interface MemberEvents {
  /** Everyone known now: alive, suspect, dead and left, the latter two until they are forgotten. */
  members(): readonly Member[];
  onEvent(listener: MemberListener): Cancel;
  /** Says goodbye and stops. Twice is fine. */
  stop(): Promise<void>;
}
