import type { Cancel, Clock, NodeId, Rng } from '@das/kernel';
import { BackOff } from './core/back-off.js';
import { membershipLimits } from './limits.js';

/** A node to be joined. */
export interface Found {
  readonly node: NodeId;
  readonly address: string;
  /** Start of its membership service; unknown when only its address was asked for. */
  readonly startedAt: number | undefined;
  /** Of its keys. */
  readonly edition: number;
}

interface Joining {
  readonly clock: Clock;
  readonly rng: Rng;
  /** Others that are known as present. */
  readonly others: () => number;
  /** Whether gossip does not know it as present. */
  readonly isMissing: (found: Found) => boolean;
  /** False: it could not be joined, which was told. Never rejects. */
  readonly join: (found: Found) => Promise<boolean>;
}

const lifeOf = ({ node, address, startedAt }: Found): string => `${node} ${address} ${startedAt ?? ''}`;

/**
 * Joins nodes that were found: each after a random moment that grows with the cluster, since all hear of a newcomer at once and the first
 * joins suffice, and only if it is missing still. A few at the same time, so that one that swallows every packet does not hold up the others;
 * one that could not be joined is left alone for longer each time, until it starts anew.
 */
export class JoinQueue {
  readonly #waiting = new Map<NodeId, Found>();
  readonly #current = new Set<NodeId>();
  readonly #cancels = new Set<Cancel>();
  readonly #backOff = new BackOff(membershipLimits.joinAgainFirstMs, membershipLimits.joinsMax);
  #stopped = false;

  constructor(private readonly joining: Joining) {}

  add(found: Found): void {
    if (this.#current.has(found.node) || !this.#isWanted(found)) return;
    if (this.#waiting.has(found.node) || this.#waiting.size < membershipLimits.joinsMax)
      this.#waiting.set(found.node, found);
    if (this.#current.size < membershipLimits.joinsAtOnceMax) void this.#work();
  }

  /** What kept nodes from being joined may be over: nobody is left alone any more. */
  forgive(): void {
    this.#backOff.clear();
  }

  stop(): void {
    this.#stopped = true;
    for (const cancel of this.#cancels) cancel();
    this.#cancels.clear();
    this.#waiting.clear();
  }

  #isWanted(found: Found): boolean {
    const ready = this.#backOff.ready(lifeOf(found), this.joining.clock.monotonic());
    return !this.#stopped && ready && this.joining.isMissing(found);
  }

  async #work(): Promise<void> {
    for (let [next] = this.#waiting.values(); next !== undefined; [next] = this.#waiting.values()) {
      this.#waiting.delete(next.node);
      if (!this.#isWanted(next)) continue;
      this.#current.add(next.node);
      await this.#spread();
      // Gossip may have found it meanwhile: someone else joined it first.
      if (this.#isWanted(next)) await this.#join(next);
      this.#current.delete(next.node);
    }
  }

  async #join(found: Found): Promise<void> {
    const at = this.joining.clock.monotonic();
    if (await this.joining.join(found)) return this.#backOff.done(lifeOf(found));
    const { joinAgainPerMemberMs, joinAgainMaxMs } = membershipLimits;
    const maxMs = Math.min(joinAgainMaxMs, joinAgainPerMemberMs * (1 + this.joining.others()));
    this.#backOff.failed(lifeOf(found), at, maxMs);
  }

  #spread(): Promise<void> {
    const { joinSpreadPerMemberMs, joinSpreadMaxMs } = membershipLimits;
    const spreadMs = Math.min(joinSpreadMaxMs, joinSpreadPerMemberMs * (1 + this.joining.others()));
    return new Promise((resolve) => {
      const cancel = this.joining.clock.timer(
        this.joining.rng() * spreadMs,
        () => (this.#cancels.delete(cancel), resolve()),
      );
      this.#cancels.add(cancel);
    });
  }
}
