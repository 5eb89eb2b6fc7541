import type { MemberState } from '@das/contracts';

/** What a node said over the bus of its own gossip. */
export interface Presence {
  readonly node: string;
  readonly address: string;
  readonly startedAt: number;
}

/** What gossip knows of a node. `startedAt` is unknown for one that is none of ours. */
export interface KnownMember {
  readonly state: MemberState;
  readonly address: string;
  readonly startedAt: number | undefined;
}

/**
 * What to do about a node that says it is there: `known`, nothing; `join` it, since gossip has not found it, holds it for dead, or knows
 * only its life before a restart; `taken`, its name is in use at another address, and joining would change nothing.
 */
export function judgePresence(presence: Presence, known: KnownMember | undefined): 'known' | 'join' | 'taken' {
  if (known === undefined || known.state === 'dead' || known.state === 'left') return 'join';
  if (known.address !== presence.address) return known.state === 'suspect' ? 'join' : 'taken';
  return known.startedAt === undefined || known.startedAt === presence.startedAt ? 'known' : 'join';
}

/** Pause before round `round` (from 0) through the seeds: doubling, capped (ms). */
export const seedPauseMs = (round: number, firstMs: number, maxMs: number): number =>
  Math.min(firstMs * 2 ** Math.min(round, 20), maxMs);
