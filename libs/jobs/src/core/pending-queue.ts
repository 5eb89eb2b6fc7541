/** Slots before the first element that are kept for nothing, at most, beside as many as there are elements. */
const emptySlotsMax = 64;

/**
 * A first-in-first-out set: each element at most once; every operation O(1), averaged. A bare `Set` is none: taking its first element steps
 * over all that were deleted before it, which made the hundred thousand parts of a new leader quadratic (3.3 s of CPU, two cores, 2026-11-22).
 */
export class PendingQueue<T> {
  /** In their order; `undefined` where an element was deleted. */
  #slots: (T | undefined)[] = [];
  readonly #at = new Map<T, number>();
  /** No element is before it. */
  #head = 0;

  get size(): number {
    return this.#at.size;
  }
  /** Appends, unless it is already here. */
  push(element: T): void {
    if (this.#at.has(element)) return;
    this.#at.set(element, this.#slots.length);
    this.#slots.push(element);
  }
  delete(element: T): void {
    const at = this.#at.get(element);
    if (at === undefined) return;
    this.#at.delete(element);
    this.#slots[at] = undefined;
    if (this.#slots.length > 2 * this.#at.size + emptySlotsMax) this.#close();
  }
  peek(): T | undefined {
    while (this.#head < this.#slots.length && this.#slots[this.#head] === undefined) this.#head += 1;
    return this.#slots[this.#head];
  }

  /** Closes the gaps: at most one step for each deletion since the last time. */
  #close(): void {
    this.#slots = this.#slots.filter((slot) => slot !== undefined);
    this.#head = 0;
    this.#slots.forEach((slot, at) => this.#at.set(slot as T, at));
  }
}
