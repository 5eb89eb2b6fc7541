/** A first-in-first-out set: each element at most once, removal anywhere in O(1). */
export class PendingQueue<T> {
  readonly #elements = new Set<T>();

  get size(): number {
    return this.#elements.size;
  }
  /** Appends, unless it is already here. */
  push(element: T): void {
    this.#elements.add(element);
  }
  delete(element: T): void {
    this.#elements.delete(element);
  }
  peek(): T | undefined {
    for (const element of this.#elements) return element;
    return undefined;
  }
}
