/** So many at a time; who comes later waits, first come first served. */
export class Turns {
  readonly #waiting: Array<() => void> = [];
  #taken = 0;

  constructor(private readonly atOnce: number) {}

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Resolves when it is the caller's turn, with what ends it: to be called once. */
  async take(): Promise<() => void> {
    if (this.#taken < this.atOnce) this.#taken += 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return () => this.#next();
  }

  /** A turn that somebody waits for is handed on. */
  #next(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#taken -= 1;
    else next();
  }
}
