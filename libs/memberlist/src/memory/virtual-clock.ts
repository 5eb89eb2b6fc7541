import type { Cancel, Clock } from '../ports/clock.js';

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly fire: () => void;
  cancelled: boolean;
}

/** Time that moves only when told. What is due fires in the order of its time, then in the order it was set. */
export class VirtualTime {
  #heap: Timer[] = [];
  #order = 0;
  #now = 0;

  get now(): number {
    return this.#now;
  }

  at(time: number, fire: () => void): Cancel {
    const timer: Timer = { at: Math.max(time, this.#now), order: this.#order++, fire, cancelled: false };
    this.#push(timer);
    return () => void (timer.cancelled = true);
  }

  /** Runs all that falls due within `ms`, what is set meanwhile included. */
  advance(ms: number): void {
    const until = this.#now + ms;
    for (let next = this.#heap[0]; next !== undefined && next.at <= until; next = this.#heap[0]) {
      this.#pop();
      if (next.cancelled) continue;
      this.#now = next.at;
      next.fire();
    }
    this.#now = until;
  }

  /** Advances in small steps until something holds; false when `maxMs` went by. */
  advanceUntil(holds: () => boolean, maxMs: number, stepMs = 10): boolean {
    for (let passed = 0; passed < maxMs; passed += stepMs) {
      if (holds()) return true;
      this.advance(stepMs);
    }
    return holds();
  }

  #push(timer: Timer): void {
    const heap = this.#heap;
    let child = heap.push(timer) - 1;
    while (child > 0) {
      const parent = (child - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || !earlier(timer, above)) break;
      heap[child] = above;
      child = parent;
    }
    heap[child] = timer;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let parent = 0;
    for (;;) {
      const [left, right] = [heap[parent * 2 + 1], heap[parent * 2 + 2]];
      if (left === undefined) break;
      const [child, below] =
        right !== undefined && earlier(right, left) ? [parent * 2 + 2, right] : [parent * 2 + 1, left];
      if (!earlier(below, last)) break;
      heap[parent] = below;
      parent = child;
    }
    heap[parent] = last;
  }
}

function earlier(a: Timer, b: Timer): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

/** One node's clock in virtual time. While it is paused nothing of the node runs, as for a stopped process. */
export class VirtualClock implements Clock {
  #paused = false;
  readonly #timers: (() => void)[] = [];
  readonly #inbox: (() => void)[] = [];

  constructor(private readonly time: VirtualTime) {}

  now(): number {
    return this.time.now;
  }

  at(time: number, fire: () => void): Cancel {
    let cancelled = false;
    const cancel = this.time.at(time, () => {
      const run = (): void => void (cancelled ? undefined : fire());
      if (this.#paused) this.#timers.push(run);
      else run();
    });
    return () => {
      cancelled = true;
      cancel();
    };
  }

  drain(done: () => void): void {
    for (let next = this.#inbox.shift(); next !== undefined; next = this.#inbox.shift()) next();
    done();
  }

  /** Delivers something to the node, or keeps it while the node is paused. */
  deliver(what: () => void): void {
    if (this.#paused) this.#inbox.push(what);
    else what();
  }

  /** Stops the node, as SIGSTOP does. */
  pause(): void {
    this.#paused = true;
  }

  /** Goes on. Timers that fell due fire before the inbox is read, as in Node's event loop. */
  resume(): void {
    this.#paused = false;
    for (const fire of this.#timers.splice(0)) fire();
    this.drain(() => undefined);
  }
}
