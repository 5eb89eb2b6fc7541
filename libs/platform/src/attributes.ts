import { nodeAttributes } from '@das/contracts';
import type { Cancel, Clock } from '@das/kernel';
import type { ServiceBus } from '@das/messaging';

/** How often a service says that it is up (ms); membership lets it drop out of the list after three times this. */
export const attributesEveryMs = 10_000;

/** What a service knows of its node, for other nodes to see. */
export interface NodeFacts {
  /** Base URL of the REST front door. */
  readonly rest?: string;
  readonly slots?: number;
}

/** Tells the node's membership that a service is up, with what it adds to the node's attributes: at once when it is news, and every 10 s. */
export class AttributesTeller {
  #facts: NodeFacts = {};
  #stop: Cancel | undefined;

  constructor(
    private readonly bus: ServiceBus,
    private readonly clock: Clock,
  ) {}

  describe(facts: NodeFacts): void {
    this.#facts = { ...this.#facts, ...facts };
    if (this.#stop !== undefined) this.#tell();
  }

  /** The service is up from now on, until the returned function is called. */
  start(): Cancel {
    this.#tell();
    this.#stop = this.clock.every(attributesEveryMs, () => this.#tell());
    return this.#stop;
  }

  #tell(): void {
    this.bus.tell(nodeAttributes, { service: this.bus.service, ...this.#facts });
  }
}
