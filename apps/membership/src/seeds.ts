import { type Cancel, type Clock, messageOf } from '@das/kernel';
import type { Resolver } from '@das/memberlist';
import { membershipLimits } from './limits.js';
import { seedPauseMs } from './core/presence.js';
import type { GossipMembers } from './gossip-members.js';
import type { Notes } from './notes.js';

/** Joins by the seeds that are set: again and again, with growing pauses, as long as nobody else is known; and again when that comes back. */
export class Seeds {
  #cancel: Cancel = () => undefined;
  #round = 0;
  #stopped = false;

  constructor(
    private readonly seeds: readonly string[],
    private readonly gossip: GossipMembers,
    private readonly tools: { readonly clock: Clock; readonly notes: Notes },
  ) {}

  start(): void {
    if (this.seeds.length > 0) void this.#try();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  async #try(): Promise<void> {
    if (this.gossip.others.length > 0) this.#round = 0;
    else for (const seed of this.seeds) await this.#join(seed);
    if (this.#stopped) return;
    const { seedPauseFirstMs, seedPauseMaxMs } = membershipLimits;
    const pauseMs = seedPauseMs(this.#round, seedPauseFirstMs, seedPauseMaxMs);
    this.#round += 1;
    this.#cancel = this.tools.clock.timer(pauseMs, () => void this.#try());
  }

  async #join(seed: string): Promise<void> {
    try {
      if (!this.#stopped) await this.gossip.list.join([seed]);
    } catch (error) {
      // That its name is not known is told by the resolver.
      if (!this.#stopped)
        this.tools.notes.note(
          'seedSilent',
          `seed ${seed} cannot be joined: ${messageOf(error)}; trying on`,
          undefined,
          seed,
        );
    }
  }
}

/** Says which names cannot be looked up. */
export class TellingResolver implements Resolver {
  constructor(
    private readonly inner: Resolver,
    private readonly notes: Notes,
  ) {}

  async resolve(host: string): Promise<readonly Uint8Array[]> {
    try {
      return await this.inner.resolve(host);
    } catch (error) {
      this.notes.note('seedUnresolved', `${host} cannot be looked up: ${messageOf(error)}; trying on`, undefined, host);
      throw error;
    }
  }
}
