interface Gone<T> {
  readonly member: T;
  readonly at: number;
}

/** The dead and the left, for people who ask later: gossip itself forgets them within seconds. `now` is monotonic (ms). */
export class Departed<T extends { readonly name: string }> {
  readonly #gone = new Map<string, Gone<T>>();

  constructor(
    private readonly rememberMs: number,
    private readonly membersMax: number,
  ) {}

  left(member: T, now: number): void {
    this.#gone.delete(member.name);
    this.#gone.set(member.name, { member, at: now });
    this.#forget(now);
  }

  back(name: string): void {
    this.#gone.delete(name);
  }

  all(now: number): T[] {
    this.#forget(now);
    return [...this.#gone.values()].map(({ member }) => member);
  }

  /** In the order they went: the first are the oldest. */
  #forget(now: number): void {
    for (const [name, { at }] of this.#gone) {
      if (now - at <= this.rememberMs && this.#gone.size <= this.membersMax) return;
      this.#gone.delete(name);
    }
  }
}
