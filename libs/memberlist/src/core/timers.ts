/** What falls due. Each names what it belongs to: one that outlived it is recognised by that and does nothing. */
export type Timer =
  | { readonly kind: 'probeTick' | 'gossipTick' | 'pushPullTick' | 'queueCheckTick' }
  | { readonly kind: 'probeTimeout' | 'probeEnd' | 'relayEnd' | 'pingEnd'; readonly seqNo: number }
  | { readonly kind: 'suspicion' | 'remind'; readonly name: string };

interface Entry {
  readonly at: number;
  readonly order: number;
  readonly timer: Timer;
}

/** Timers by due time, those due together in the order they were set (a binary heap). */
export class Timers {
  readonly #heap: Entry[] = [];
  #order = 0;

  /** Due time of the next; nothing when none is set. */
  get next(): number | undefined {
    return this.#heap[0]?.at;
  }

  /** How many are set, those that will turn out stale included. */
  get size(): number {
    return this.#heap.length;
  }

  set(at: number, timer: Timer): void {
    const heap = this.#heap;
    heap.push({ at, order: this.#order++, timer });
    for (let child = heap.length - 1; child > 0;) {
      const parent = (child - 1) >> 1;
      if (!this.#swapIfEarlier(child, parent)) return;
      child = parent;
    }
  }

  /** Takes the next that is due at `now`. */
  take(now: number): { readonly at: number; readonly timer: Timer } | undefined {
    const [first] = this.#heap;
    if (first === undefined || first.at > now) return undefined;
    const last = this.#heap.pop();
    if (last !== undefined && this.#heap.length > 0) {
      this.#heap[0] = last;
      this.#sink();
    }
    return first;
  }

  /** Drops the next ones for as long as they are stale. */
  discard(isStale: (timer: Timer) => boolean): void {
    for (let [first] = this.#heap; first !== undefined && isStale(first.timer); [first] = this.#heap)
      this.take(first.at);
  }

  #sink(): void {
    for (let parent = 0; ;) {
      const [left, right] = [parent * 2 + 1, parent * 2 + 2];
      const child = this.#earlier(right, left) ? right : left;
      if (!this.#swapIfEarlier(child, parent)) return;
      parent = child;
    }
  }

  #swapIfEarlier(child: number, parent: number): boolean {
    if (!this.#earlier(child, parent)) return false;
    const [a, b] = [this.#heap[child], this.#heap[parent]];
    if (a === undefined || b === undefined) return false;
    this.#heap[child] = b;
    this.#heap[parent] = a;
    return true;
  }

  #earlier(a: number, b: number): boolean {
    const [left, right] = [this.#heap[a], this.#heap[b]];
    if (left === undefined || right === undefined) return false;
    return left.at < right.at || (left.at === right.at && left.order < right.order);
  }
}
