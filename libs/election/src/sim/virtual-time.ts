/** Seeded, uniform in [0, 1) (mulberry32). */
export function seeded(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

interface Entry {
  readonly at: number;
  readonly no: number;
  readonly run: () => void;
}

/** A queue of things to happen, by time and then by insertion: the same seed gives the same run. */
export class VirtualTime {
  now = 0;
  #no = 0;
  readonly #heap: Entry[] = [];

  at(at: number, run: () => void): void {
    const entry = { at: Math.max(at, this.now), no: this.#no++, run };
    let low = 0;
    let high = this.#heap.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (before(entry, this.#heap[middle] as Entry)) low = middle + 1;
      else high = middle;
    }
    this.#heap.splice(low, 0, entry);
  }

  after(ms: number, run: () => void): void {
    this.at(this.now + ms, run);
  }

  runUntil(end: number): void {
    for (let next = this.#heap.at(-1); next !== undefined && next.at <= end; next = this.#heap.at(-1)) {
      this.#heap.pop();
      this.now = next.at;
      next.run();
    }
    this.now = end;
  }
}

/** The list is kept latest first, so that the next entry is taken from its end. */
const before = (a: Entry, b: Entry): boolean => a.at < b.at || (a.at === b.at && a.no < b.no);
