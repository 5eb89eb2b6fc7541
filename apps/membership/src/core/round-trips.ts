/** Round trips of the newest probes (ms), of present members only: an answer may come after its member went, and nobody would delete it. */
export class RoundTrips {
  /** Nothing measured yet: undefined. */
  readonly #present = new Map<string, number | undefined>();

  joined(name: string): void {
    this.#present.set(name, undefined);
  }

  gone(name: string): void {
    this.#present.delete(name);
  }

  probed(name: string, rttMs: number): void {
    if (this.#present.has(name)) this.#present.set(name, rttMs);
  }

  of(name: string): number | undefined {
    return this.#present.get(name);
  }
}
