/** Callers that wait for something the protocol tells later, by a number that it repeats. */
export class Pending<T> {
  readonly #callbacks = new Map<number, (result: T) => void>();
  #next = 1;

  /** Keeps a callback; gives its number. */
  add(done: (result: T) => void): number {
    const id = this.#next++;
    this.#callbacks.set(id, done);
    return id;
  }

  /** Calls the one of that number, once. */
  settle(id: number, result: T): void {
    const done = this.#callbacks.get(id);
    this.#callbacks.delete(id);
    done?.(result);
  }

  /** Calls all that are left. */
  settleAll(result: T): void {
    for (const id of [...this.#callbacks.keys()]) this.settle(id, result);
  }
}
