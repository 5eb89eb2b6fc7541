import type { Links, VirtualTime } from '@das/election/sim';
import type { Rng } from '@das/kernel';
import type { Machine, Process } from './machine.js';

export interface CallOptions {
  /** The whole call, and each try of it (ms), as `ServiceBus.call` makes them. */
  readonly timeoutMs: number;
  readonly tryMs: number;
}

/** Pause between two tries (ms). */
const pauseMs = 20;
/** Share of messages that come so late that nobody waits for them any more, and how late (ms). */
const lateShare = 0.002;
const lateMaxMs = 8_000;

/** Where the store is. */
export const store = 'store';

/** The message bus: lossy, slow, in any order, cut where a fault cuts it, and away as a whole or for one machine. */
export class Bus {
  away = false;
  readonly #machines = new Map<string, Machine>();

  constructor(
    private readonly time: VirtualTime,
    readonly links: Links,
    private readonly rng: Rng,
  ) {}

  join(machine: Machine): void {
    this.#machines.set(machine.name, machine);
  }

  /** Brings something from one place to another: never, once, or more than once. */
  carry(from: string, to: string, arrive: () => void): void {
    if (!this.#reached(from) || !this.#reached(to)) return;
    for (let copies = this.links.copies(from, to); copies > 0; copies -= 1) {
      const late = this.links.loss > 0 && this.rng() < lateShare ? this.rng() * lateMaxMs : 0;
      this.time.after(this.links.delay() + late, () => {
        if (this.#reached(to)) arrive();
      });
    }
  }

  /** Tells something to machines; each acts on it with whatever runs there when it arrives. */
  tell(from: string, to: Iterable<Machine>, act: (machine: Machine) => void): void {
    for (const machine of to) this.carry(from, machine.name, () => machine.hear(() => act(machine)));
  }

  /**
   * Asks `to` again and again until it answers or the time is over. `serve` runs at the other side, perhaps more than once; `answer` takes
   * the reply back, which may get lost although it was done.
   */
  call<R>(
    caller: Process,
    to: string,
    serve: (answer: (reply: R) => void) => void,
    { timeoutMs, tryMs }: CallOptions,
    done: (reply: R | undefined) => void,
  ): void {
    const deadline = caller.mono() + timeoutMs;
    let settled = false;
    const settle = (reply: R | undefined): void => {
      if (settled) return;
      settled = true;
      done(reply);
    };
    const answer = (reply: R): void => this.carry(to, caller.name, () => caller.deliver(() => settle(reply)));
    const attempt = (): void => {
      if (settled) return;
      const leftMs = deadline - caller.mono();
      if (leftMs <= pauseMs) return settle(undefined);
      this.carry(caller.name, to, () => serve(answer));
      caller.after(Math.min(tryMs + pauseMs, leftMs), attempt);
    };
    attempt();
  }

  #reached(place: string): boolean {
    return !this.away && (this.#machines.get(place)?.onBus ?? true);
  }
}
