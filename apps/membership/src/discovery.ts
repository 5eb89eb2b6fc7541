import { bootstrapGossip, bootstrapGossipFrom, type BodyOf, memberPresence } from '@das/contracts';
import { type Cancel, type NodeId, type Rng, messageOf } from '@das/kernel';
import type { ServiceContext } from '@das/platform';
import { membershipLimits } from './limits.js';
import { type Presence, isElder, judgePresence } from './core/presence.js';
import { ownNameText } from './gossip-delegates.js';
import type { GossipMembers } from './gossip-members.js';
import type { GossipKeys } from './keys.js';
import type { Notes } from './notes.js';

/** A node to be joined; `presence` is what it said of itself. */
interface Found {
  readonly node: NodeId;
  readonly address: string;
  readonly presence: Presence | undefined;
}

/**
 * Nodes find each other over the bus: each says where its gossip is, and who hears of one that its gossip does not know joins it, after a
 * random moment, one at a time. So a cluster needs no addresses, and a gossip that fell apart comes together again: memberlist itself never
 * joins anew. Nothing here judges anybody, so that a bus that is away does no harm.
 */
export class Discovery {
  readonly #found = new Map<NodeId, Found>();
  readonly #cancels = new Set<Cancel>();
  #running = false;
  #stopped = false;

  constructor(
    private readonly context: ServiceContext,
    private readonly gossip: GossipMembers,
    private readonly tools: {
      readonly keys: GossipKeys;
      readonly notes: Notes;
      readonly rng: Rng;
      readonly label: string;
    },
  ) {}

  async start(): Promise<void> {
    const { bus, clock } = this.context;
    const { presenceSoonMs, presenceEveryMs } = membershipLimits;
    this.#cancels.add(await bus.hear(memberPresence, (presence) => this.#heard(presence)));
    this.#cancels.add(bus.onConnection((up) => void (up && this.#tell())));
    for (const afterMs of presenceSoonMs) this.#cancels.add(clock.timer(afterMs, () => this.#tell()));
    this.#cancels.add(clock.every(presenceEveryMs, () => this.#tell()));
    this.#tell();
    void this.#ask();
  }

  stop(): void {
    this.#stopped = true;
    for (const cancel of this.#cancels) cancel();
    this.#cancels.clear();
    this.#found.clear();
  }

  #tell(): void {
    const { address, facts } = this.gossip;
    this.context.bus.tell(memberPresence, { node: this.context.node, address, startedAt: facts.startedAt });
  }

  /** Quicker than to wait until somebody says that it is there. */
  async #ask(): Promise<void> {
    const { bus, node } = this.context;
    try {
      const { body } = await bus.call(bootstrapGossip, { node }, { timeoutMs: membershipLimits.bootstrapTimeoutMs });
      if (body.label === this.tools.label) this.#find({ node: body.by, address: body.address, presence: undefined });
    } catch {
      // Nobody is there yet; the presences of others will tell.
    }
  }

  #heard(presence: BodyOf<typeof memberPresence>): void {
    const { node, facts, address } = {
      node: this.context.node,
      facts: this.gossip.facts,
      address: this.gossip.address,
    };
    if (presence.node !== node) return this.#find({ node: presence.node, address: presence.address, presence });
    if (presence.startedAt !== facts.startedAt || presence.address !== address)
      this.tools.notes.note('ownName', ownNameText(node, presence.address));
  }

  #find(found: Found): void {
    if (this.#stopped || found.node === this.context.node || this.#judge(found) !== 'join') return;
    if (this.#found.size < membershipLimits.joinsMax) this.#found.set(found.node, found);
    if (!this.#running) void this.#joinAll();
  }

  #judge({ node, address, presence }: Found): 'known' | 'join' | 'taken' {
    const known = this.gossip.known(node);
    return judgePresence(presence ?? { node, address, startedAt: known?.startedAt ?? 0 }, known);
  }

  async #joinAll(): Promise<void> {
    this.#running = true;
    for (let [next] = this.#found.values(); next !== undefined && !this.#stopped; [next] = this.#found.values()) {
      await this.#spread();
      // Gossip may have found it meanwhile: someone else joined it first.
      const newest = this.#found.get(next.node) ?? next;
      this.#found.delete(next.node);
      if (!this.#stopped && this.#judge(newest) === 'join') await this.#join(newest);
    }
    this.#running = false;
  }

  /** In a large cluster all hear of a newcomer at once; the first joins suffice. */
  #spread(): Promise<void> {
    const { joinSpreadPerMemberMs, joinSpreadMaxMs } = membershipLimits;
    const spreadMs = Math.min(joinSpreadMaxMs, joinSpreadPerMemberMs * (1 + this.gossip.others.length));
    return new Promise((resolve) => {
      const cancel = this.context.clock.timer(
        this.tools.rng() * spreadMs,
        () => (this.#cancels.delete(cancel), resolve()),
      );
      this.#cancels.add(cancel);
    });
  }

  async #join(found: Found): Promise<void> {
    const { notes } = this.tools;
    const problem = await this.#tryJoin(found);
    if (problem === undefined || this.#stopped) return;
    if (await this.#adoptKeysOf(found)) {
      const again = await this.#tryJoin(found);
      if (again === undefined)
        return notes.note('keysAdopted', `took the gossip keys of ${found.node}, which this node did not have`);
    }
    notes.note('joinFailed', `node ${found.node} is there but cannot be joined: ${problem}`, undefined, found.node);
  }

  async #tryJoin({ node, address }: Found): Promise<string | undefined> {
    try {
      await this.gossip.list.join([`${node}/${address}`]);
      return undefined;
    } catch (error) {
      return messageOf(error);
    }
  }

  /**
   * A node that was away while keys were changed knows only old ones: alone, it takes those of an elder, over the bus, which the cluster's
   * token guards. Nobody takes keys from a younger one, so that old keys do not come back.
   */
  async #adoptKeysOf({ node, presence }: Found): Promise<boolean> {
    const own = { node: this.context.node, startedAt: this.gossip.facts.startedAt };
    if (this.gossip.others.length > 0 || (presence !== undefined && !isElder(presence, own))) return false;
    try {
      const options = { node, timeoutMs: membershipLimits.bootstrapTimeoutMs };
      const { body } = await this.context.bus.call(bootstrapGossipFrom, { node: this.context.node }, options);
      const [primary] = body.keys;
      const isNews = primary !== undefined && primary !== this.tools.keys.texts[0];
      return isNews && body.label === this.tools.label && (await this.tools.keys.adopt(body.keys));
    } catch {
      return false;
    }
  }
}
