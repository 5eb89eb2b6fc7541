interface Failure {
  readonly at: number;
  readonly pauseMs: number;
}

/** Who failed is left alone for a while: for `firstMs`, then for twice as long each time, up to a limit. `now` is monotonic (ms). */
export class BackOff {
  readonly #failures = new Map<string, Failure>();

  constructor(
    private readonly firstMs: number,
    private readonly namesMax: number,
  ) {}

  ready(name: string, now: number): boolean {
    const failure = this.#failures.get(name);
    return failure === undefined || now - failure.at >= failure.pauseMs;
  }

  /** `at`: begin of the attempt that failed. With too many names the one that failed longest ago is forgotten. */
  failed(name: string, at: number, maxMs: number): void {
    const before = this.#failures.get(name)?.pauseMs;
    const pauseMs = Math.min(before === undefined ? this.firstMs : before * 2, Math.max(maxMs, this.firstMs));
    this.#failures.delete(name);
    this.#failures.set(name, { at, pauseMs });
    const oldest = this.#failures.keys().next();
    if (this.#failures.size > this.namesMax && !oldest.done) this.#failures.delete(oldest.value);
  }

  done(name: string): void {
    this.#failures.delete(name);
  }

  clear(): void {
    this.#failures.clear();
  }
}
