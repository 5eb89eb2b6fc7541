/** Which services of the own node are up, by when they were heard last. `now` is monotonic (ms). */
export class OwnServices {
  readonly #heard = new Map<string, number>();
  #deaf = false;

  /** `self` is this service, which is up as long as anyone asks. */
  constructor(
    private readonly self: string,
    private readonly silentMs: number,
    private readonly servicesMax = 32,
  ) {}

  /** Up ones, by name. */
  names(now: number): string[] {
    for (const [name, at] of this.#heard) if (!this.#deaf && now - at > this.silentMs) this.#heard.delete(name);
    return [...new Set([this.self, ...this.#heard.keys()])].sort();
  }

  heard(name: string, now: number): void {
    if (this.#heard.has(name) || this.#heard.size < this.servicesMax) this.#heard.set(name, now);
  }

  /** The bus is away: silence says nothing until one full time after it is back. */
  connection(up: boolean, now: number): void {
    this.#deaf = !up;
    if (up) for (const name of this.#heard.keys()) this.#heard.set(name, now);
  }
}
