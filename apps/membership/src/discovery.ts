import { bootstrapGossip, type BodyOf, memberPresence } from '@das/contracts';
import { type Cancel, type Rng, messageOf } from '@das/kernel';
import type { ServiceContext } from '@das/platform';
import { judgePresence } from './core/presence.js';
import { ownNameText } from './gossip-delegates.js';
import type { GossipMembers } from './gossip-members.js';
import { type Found, JoinQueue } from './join-queue.js';
import { KeyAdoption } from './key-adoption.js';
import type { GossipKeys } from './keys.js';
import { membershipLimits } from './limits.js';
import type { Notes } from './notes.js';

/**
 * Nodes find each other over the bus: each says where its gossip is, and who hears of one that its gossip does not know joins it. So a cluster
 * needs no addresses, and a gossip that fell apart comes together again: memberlist itself never joins anew. Nothing here judges anybody, so
 * that a bus that is away does no harm.
 */
export class Discovery {
  readonly #cancels = new Set<Cancel>();
  readonly #queue: JoinQueue;
  readonly #adoption: KeyAdoption;
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
  ) {
    const others = (): number => gossip.others.length;
    this.#adoption = new KeyAdoption(context, { ...tools, others });
    this.#queue = new JoinQueue({
      clock: context.clock,
      rng: tools.rng,
      others,
      isMissing: (found) => this.#isMissing(found),
      join: (found) => this.#join(found),
    });
  }

  /** @throws Error of the bus; what was begun ends with {@link stop}. */
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
    this.#adoption.stop();
    this.#queue.stop();
  }

  #tell(): void {
    const { address, facts } = this.gossip;
    const { keys, label } = this.tools;
    const { edition } = keys.ring;
    const { startedAt } = facts;
    this.context.bus.tell(memberPresence, { node: this.context.node, address, startedAt, label, edition });
  }

  /** Quicker than to wait until somebody says that it is there. */
  async #ask(): Promise<void> {
    const { bus, node } = this.context;
    try {
      const { body } = await bus.call(bootstrapGossip, { node }, { timeoutMs: membershipLimits.bootstrapTimeoutMs });
      const { by, address, edition, label } = body;
      if (label === this.tools.label) this.#find({ node: by, address, edition, startedAt: undefined });
    } catch {
      // Nobody is there yet; the presences of others will tell.
    }
  }

  #heard(presence: BodyOf<typeof memberPresence>): void {
    const { node } = this.context;
    const { facts, address } = this.gossip;
    if (presence.node === node) {
      if (presence.startedAt !== facts.startedAt || presence.address !== address)
        this.tools.notes.note('ownName', ownNameText(node, presence.address));
      return;
    }
    // Another cluster on the same bus: it would refuse us, and we it.
    if (presence.label === this.tools.label) this.#find(presence);
  }

  /** Newer keys come first: without them it may not be possible to join. */
  #find(found: Found): void {
    if (this.#stopped || found.node === this.context.node) return;
    const isAsked = this.#adoption.heard(found, (offer, adopted) => this.#asked(offer, adopted));
    if (!isAsked) this.#queue.add(found);
  }

  #asked(found: Found, adopted: boolean): void {
    if (adopted) {
      this.#queue.forgive();
      // Others that lag behind hear of it as well.
      this.#tell();
    }
    this.#queue.add(found);
  }

  #isMissing({ node, address, startedAt }: Found): boolean {
    const known = this.gossip.known(node);
    return judgePresence({ node, address, startedAt: startedAt ?? known?.startedAt ?? 0 }, known) === 'join';
  }

  async #join(found: Found): Promise<boolean> {
    const { node, address, edition } = found;
    const { notes } = this.tools;
    try {
      await this.gossip.list.join([`${node}/${address}`]);
      return true;
    } catch (error) {
      const differs = await this.#adoption.differs(found);
      if (this.#stopped) return false;
      const remedy = 'das gossip keys install the key of one on the other, and use it there';
      if (differs)
        notes.note(
          'keysDiffer',
          `node ${node} has other gossip keys of the same edition (${edition}): ${remedy}`,
          undefined,
          node,
        );
      else notes.note('joinFailed', `node ${node} is there but cannot be joined: ${messageOf(error)}`, undefined, node);
      return false;
    }
  }
}
