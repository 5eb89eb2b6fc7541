import { type Cancel, type Clock, messageOf } from '@das/kernel';
import { type Resolver, formatAddress, parseIp } from '@das/memberlist';
import { seedPauseMs } from './core/presence.js';
import { type Seed, parseSeed } from './core/seed.js';
import type { GossipMembers } from './gossip-members.js';
import { membershipLimits } from './limits.js';
import type { Notes } from './notes.js';

/**
 * Joins by the seeds that are set, as long as no present member is at their address: with growing pauses while nobody else is known, else
 * every 30 s. So two halves that know only themselves come together, also without a common bus.
 */
export class Seeds {
  #cancel: Cancel = () => undefined;
  #round = 0;
  #triedAt = Number.NEGATIVE_INFINITY;
  #stopped = false;

  /** `port` is for seeds that name none. */
  constructor(
    private readonly seeds: readonly string[],
    private readonly gossip: Pick<GossipMembers, 'list' | 'others'>,
    private readonly tools: {
      readonly clock: Clock;
      readonly notes: Notes;
      readonly resolver: Resolver;
      readonly port: number;
    },
  ) {}

  start(): void {
    if (this.seeds.length > 0) void this.#look();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  async #look(): Promise<void> {
    const { clock } = this.tools;
    const { seedPauseFirstMs, seedPauseMaxMs } = membershipLimits;
    const isAlone = this.gossip.others.length === 0;
    if (isAlone || clock.monotonic() - this.#triedAt >= seedPauseMaxMs) {
      this.#triedAt = clock.monotonic();
      for (const seed of this.seeds) await this.#try(seed);
    }
    if (this.#stopped) return;
    this.#round = isAlone ? this.#round + 1 : 0;
    // With others there, looking costs nothing, and it is soon noticed when they are gone.
    const pauseMs = seedPauseMs(Math.max(0, this.#round - 1), seedPauseFirstMs, seedPauseMaxMs);
    this.#cancel = clock.timer(pauseMs, () => void this.#look());
  }

  async #try(text: string): Promise<void> {
    const seed = parseSeed(text, this.tools.port);
    for (const address of await this.#addressesOf(seed)) {
      const isPresent = this.gossip.list.members.some((member) => formatAddress(member) === address);
      if (!this.#stopped && !isPresent) await this.#join(text, `${seed.name}${address}`);
    }
  }

  async #join(seed: string, address: string): Promise<void> {
    try {
      await this.gossip.list.join([address]);
    } catch (error) {
      const detail = `seed ${seed} cannot be joined: ${messageOf(error)}; trying on`;
      if (!this.#stopped) this.tools.notes.note('seedSilent', detail, undefined, seed);
    }
  }

  /** None when its name is not known, which the resolver tells. */
  async #addressesOf({ host, port }: Seed): Promise<string[]> {
    const literal = parseIp(host);
    const found = literal === undefined ? await this.tools.resolver.resolve(host).catch(() => []) : [literal];
    return found.slice(0, membershipLimits.seedAddressesMax).map((addr) => formatAddress({ addr, port }));
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
