/** An iterator that knows its position and whether there is more. */
export class Reader<T> {
  position = 0;
  #next: IteratorResult<T, unknown>;

  constructor(private readonly source: Iterator<T, unknown>) {
    this.#next = source.next();
  }

  get hasMore(): boolean {
    return this.#next.done !== true;
  }

  take(count: number): T[] {
    const taken: T[] = [];
    while (taken.length < count && this.#next.done !== true) {
      taken.push(this.#next.value);
      this.#next = this.source.next();
    }
    this.position += taken.length;
    return taken;
  }

  skipTo(position: number): void {
    while (this.position < position && this.hasMore) this.take(Math.min(1000, position - this.position));
  }
}

/** The cursor of the next page (0: there is none), and this page. */
export type Page<T> = [nextCursor: number, items: T[]];

/**
 * Pages of lists that are found while they are read. A cursor is a position, so any page can be asked for at any time,
 * and twice; the few lists that were paged last are kept open, so that going on costs nothing.
 */
export class Pager {
  readonly #open = new Map<string, Reader<unknown>>();

  constructor(private readonly openMax = 16) {}

  /** `key` names the list: the same key, the same items. */
  page<T>(key: string, cursor: number, size: number, list: () => Iterator<T, unknown>): Page<T> {
    const reader = this.#resume<T>(`${cursor} ${key}`) ?? new Reader(list());
    reader.skipTo(cursor);
    const items = reader.take(size);
    if (!reader.hasMore) return [0, items];
    this.#keep(`${reader.position} ${key}`, reader);
    return [reader.position, items];
  }

  #resume<T>(key: string): Reader<T> | undefined {
    const reader = this.#open.get(key);
    this.#open.delete(key);
    return reader as Reader<T> | undefined;
  }

  #keep(key: string, reader: Reader<unknown>): void {
    this.#open.set(key, reader);
    const [oldest] = this.#open.keys();
    if (this.#open.size > this.openMax && oldest !== undefined) this.#open.delete(oldest);
  }
}
