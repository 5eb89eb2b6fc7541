import type { Vote } from '../core/raft/types.js';

/**
 * Role: keeps a voter's promise over a restart. One process uses it at a time.
 * Ordering: calls are made one at a time.
 */
export interface VoteStore {
  /** `empty`: never written. `corrupt`: written, and not readable. */
  load(): Promise<Vote | 'empty' | 'corrupt'>;
  /**
   * Resolves when the vote survives a crash of the machine. Never goes back: a lower round, or another vote in the same one, is refused.
   * @throws {@link VoteStoreError}, or what the disk says. State: the vote before, or this one.
   */
  save(vote: Vote): Promise<void>;
}
