/** Things that happened, to be awaited without polling. */
export class Board<T> {
  readonly seen: T[] = [];
  readonly #lookers = new Set<() => void>();

  add(thing: T): void {
    this.seen.push(thing);
    for (const look of [...this.#lookers]) look();
  }

  /** The first that fits, now or later. */
  first(fits: (thing: T) => boolean = () => true): Promise<T> {
    return this.until(() => this.seen.find(fits));
  }

  /** Resolves once `ask`, asked whenever something happened, gives something. */
  until<R>(ask: () => R | undefined | false): Promise<R> {
    return new Promise((resolve) => {
      const look = (): void => {
        const found = ask();
        if (found === undefined || found === false) return;
        this.#lookers.delete(look);
        resolve(found);
      };
      this.#lookers.add(look);
      look();
    });
  }
}
