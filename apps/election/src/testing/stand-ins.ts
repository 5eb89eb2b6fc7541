import { type BodyOf, Fault, claimTerm, coordinator, currentTerm, renewTerm, splitterBeat } from '@das/contracts';
import type { Cancel, Clock, NodeId } from '@das/kernel';
import type { ServiceBus } from '@das/messaging';

export type Coordinator = BodyOf<typeof coordinator>;

/** A results-store that knows terms and nothing else; it can be away, and slow. */
export class StandInStore {
  term = 0;
  leader: NodeId | undefined;
  #away = false;
  readonly #held: (() => void)[] = [];
  /** How long an answer takes (ms). */
  delayMs = 0;
  renewals = 0;
  constructor(
    private readonly bus: ServiceBus,
    private readonly clock: Clock,
  ) {}

  async start(): Promise<this> {
    await this.bus.answer(claimTerm, async ({ node, above }) => {
      await this.#reached();
      const granted = above === this.term;
      if (granted) [this.term, this.leader] = [above + 1, node];
      return { granted, term: this.term, leader: this.leader };
    });
    await this.bus.answer(renewTerm, async ({ node, term }) => {
      this.renewals += 1;
      await this.#reached();
      return { held: term === this.term && node === this.leader, term: this.term, leader: this.leader };
    });
    await this.bus.answer(currentTerm, async () => {
      await this.#reached();
      return { term: this.term, leader: this.leader, renewedAgoMs: 0 };
    });
    return this;
  }

  /** Away means silent: the caller's own time decides. What was asked meanwhile fails once it is back. */
  set away(away: boolean) {
    this.#away = away;
    if (!away) for (const release of this.#held.splice(0)) release();
  }

  async #reached(): Promise<void> {
    if (this.#away) {
      await new Promise<void>((resolve) => this.#held.push(resolve));
      throw new Fault('STORE_UNAVAILABLE', 'the stand-in was away');
    }
    if (this.delayMs > 0) await new Promise<void>((resolve) => this.clock.timer(this.delayMs, resolve));
  }
}

/** Job-splitters of some nodes, as far as elections care. */
export function beatSplitters(bus: ServiceBus, clock: Clock, nodes: readonly NodeId[]): Cancel {
  const beat = (): void => nodes.forEach((node) => bus.tell(splitterBeat, { epoch: `${node}-1` }, { node }));
  beat();
  return clock.every(500, beat);
}

/** Every Coordinator on the bus, and a promise of the next that fits. */
export class Heard {
  readonly all: Coordinator[] = [];
  readonly #waiting = new Set<(message: Coordinator) => void>();

  static async on(bus: ServiceBus): Promise<Heard> {
    const heard = new Heard();
    await bus.hear(coordinator, (message) => {
      heard.all.push(message);
      for (const look of [...heard.#waiting]) look(message);
    });
    return heard;
  }

  next(fits: (message: Coordinator) => boolean): Promise<Coordinator> {
    return new Promise((resolve) => {
      const look = (message: Coordinator): void => {
        if (!fits(message)) return;
        this.#waiting.delete(look);
        resolve(message);
      };
      this.#waiting.add(look);
    });
  }
}
