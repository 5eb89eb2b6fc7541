import { type BodyOf, type ReplyOf, bootstrapGossipFrom, type memberPresence } from '@das/contracts';
import type { Cancel, NodeId, Rng } from '@das/kernel';
import type { ServiceContext } from '@das/platform';
import { BackOff } from './core/back-off.js';
import { isNewer } from './core/key-ring.js';
import type { Adoption, GossipKeys } from './keys.js';
import { membershipLimits } from './limits.js';
import type { Notes } from './notes.js';

type Offer = Pick<BodyOf<typeof memberPresence>, 'node' | 'edition'>;

/** Told apart from every node: what no other node can help with. */
const ownFault = '';

/**
 * A node that was away while keys were changed has old ones. It takes those of a higher edition, from whoever has them, over the bus, which
 * the cluster's token guards; nobody takes those of a lower one, so that keys that were removed do not come back, whoever starts first.
 */
export class KeyAdoption {
  readonly #backOff = new BackOff(membershipLimits.joinAgainFirstMs, membershipLimits.joinsMax);
  #cancel: Cancel = () => undefined;
  #isOpen = false;
  #stopped = false;

  constructor(
    private readonly context: Pick<ServiceContext, 'bus' | 'clock' | 'node'>,
    private readonly tools: {
      readonly keys: GossipKeys;
      readonly notes: Notes;
      readonly rng: Rng;
      readonly label: string;
      readonly others: () => number;
    },
  ) {}

  /** True: the node's keys are newer and are asked for; `done` is called when that is over, with whether these are used now. */
  heard<O extends Offer>(offer: O, done: (offer: O, adopted: boolean) => void): boolean {
    const { clock } = this.context;
    if (this.#stopped || !isNewer(offer.edition, this.tools.keys.ring)) return false;
    if (this.#isOpen) return true;
    const now = clock.monotonic();
    if (!this.#backOff.ready(ownFault, now) || !this.#backOff.ready(offer.node, now)) return false;
    this.#isOpen = true;
    const { joinSpreadPerMemberMs, adoptSpreadMaxMs } = membershipLimits;
    const spreadMs = Math.min(adoptSpreadMaxMs, joinSpreadPerMemberMs * (1 + this.tools.others()));
    this.#cancel = clock.timer(this.tools.rng() * spreadMs, () => void this.#take(offer, done));
    return true;
  }

  /** Whether a node of our edition encrypts with a key that we do not have: then nobody can tell which one is right. */
  async differs({ node, edition }: Offer): Promise<boolean> {
    const { edition: own, keys } = this.tools.keys.ring;
    if (keys.length === 0 || edition !== own) return false;
    const [theirs] = (await this.#ask(node))?.keys ?? [];
    return theirs !== undefined && !keys.includes(theirs);
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  async #take<O extends Offer>(offer: O, done: (offer: O, adopted: boolean) => void): Promise<void> {
    const at = this.context.clock.monotonic();
    const welcome = isNewer(offer.edition, this.tools.keys.ring) ? await this.#ask(offer.node) : undefined;
    const outcome = welcome === undefined || this.#stopped ? 'refused' : await this.tools.keys.adopt(welcome);
    this.#isOpen = false;
    if (this.#stopped) return;
    this.#tell(offer, outcome);
    const isOwnFault = outcome === 'named' || outcome === 'failed';
    if (outcome === 'adopted') this.#backOff.clear();
    else this.#backOff.failed(isOwnFault ? ownFault : offer.node, at, membershipLimits.adoptAgainMaxMs);
    done(offer, outcome === 'adopted');
  }

  #tell({ node, edition }: Offer, outcome: Adoption): void {
    const { notes, keys } = this.tools;
    const newer = `node ${node} has newer gossip keys (edition ${edition})`;
    switch (outcome) {
      case 'adopted':
        return notes.note('keysAdopted', `took the gossip keys of ${node}, which are newer (edition ${edition})`);
      case 'named': {
        const remedy = `copy them into ${keys.namedFile ?? 'it'} and restart, or das gossip keys install and use them here`;
        return notes.note('keysStale', `${newer}, and this node's keyring file is kept by hand: ${remedy}`);
      }
      case 'failed':
        return notes.note('keysStale', `${newer}, and the keyring file of this node cannot be written`);
      case 'same':
      case 'refused':
        return;
    }
  }

  async #ask(node: NodeId): Promise<ReplyOf<typeof bootstrapGossipFrom> | undefined> {
    try {
      const options = { node, timeoutMs: membershipLimits.bootstrapTimeoutMs };
      const { body } = await this.context.bus.call(bootstrapGossipFrom, { node: this.context.node }, options);
      return body.label === this.tools.label ? body : undefined;
    } catch {
      return undefined;
    }
  }
}
