import { type Cancel, type Clock, type DurationMs, type EpochMs, durationMs, epochMs } from '@das/kernel';

interface Timer {
  readonly due: number;
  readonly order: number;
  readonly fire: () => void;
}

/** A clock that moves only when a test moves it. Timers fire in the order of their due time, those due together in the order they were set. */
export class FakeClock implements Clock {
  readonly #timers = new Set<Timer>();
  #elapsed = 0;
  #order = 0;

  /** `startMs`: what {@link now} says at first. */
  constructor(private readonly startMs = 1_700_000_000_000) {}

  now(): EpochMs {
    return epochMs(this.startMs + this.#elapsed);
  }

  monotonic(): DurationMs {
    return durationMs(this.#elapsed);
  }

  timer(after: number, fire: () => void): Cancel {
    const timer = { due: this.#elapsed + Math.max(0, after), order: this.#order++, fire };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  every(every: number, fire: () => void): Cancel {
    let cancel: Cancel;
    const again = (): void => {
      // At least 1 ms, or one `advance` would never end.
      cancel = this.timer(Math.max(1, every), () => {
        again();
        fire();
      });
    };
    again();
    return () => cancel();
  }

  /** How many timers wait: 0 at the end of a test that cleans up. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Moves by `ms` and fires what falls due on the way, timers set meanwhile included. What a timer throws is thrown; the rest stay set. */
  advance(ms: number): void {
    const target = this.#elapsed + ms;
    for (let next = this.#next(target); next !== undefined; next = this.#next(target)) this.#fire(next);
    this.#elapsed = target;
  }

  /** As {@link advance}; promises (and immediates) settle before the first timer, after each one and at the end. */
  async advanceAsync(ms: number): Promise<void> {
    const target = this.#elapsed + ms;
    await settled();
    for (let next = this.#next(target); next !== undefined; next = this.#next(target)) {
      this.#fire(next);
      await settled();
    }
    this.#elapsed = Math.max(this.#elapsed, target);
  }

  #next(target: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.due <= target && (next === undefined || isBefore(timer, next))) next = timer;
    }
    return next;
  }

  #fire(timer: Timer): void {
    this.#timers.delete(timer);
    this.#elapsed = Math.max(this.#elapsed, timer.due);
    timer.fire();
  }
}

const isBefore = (a: Timer, b: Timer): boolean => a.due < b.due || (a.due === b.due && a.order < b.order);

/** Resolves when all promise reactions that are ready, and those they make ready, have run. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
