import { limits } from './limits.js';

/** Something to be gossiped. A new one with the same name replaces the old; without a name it replaces nothing. */
export interface Broadcast {
  readonly message: Uint8Array;
  readonly name?: string;
  /** Called once, when it was sent often enough, replaced or dropped. */
  readonly finished?: () => void;
}

interface Item extends Broadcast {
  /** Changed only while it is out of the list, which is sorted by it. */
  transmits: number;
  readonly id: number;
}

/** Fewest transmissions first, of those the longest (it fills packets best), of those the newest. */
function before(a: Item, b: Item): boolean {
  if (a.transmits !== b.transmits) return a.transmits < b.transmits;
  if (a.message.length !== b.message.length) return a.message.length > b.message.length;
  return a.id > b.id;
}

/** Broadcasts waiting to be piggybacked or gossiped, each a limited number of times (memberlist `queue.go`). */
export class BroadcastQueue {
  /** Sorted by {@link before}. */
  readonly #items: Item[] = [];
  readonly #named = new Map<string, Item>();
  #nextId = 1;

  /** `transmitLimit`: how often one is sent, asked again for every selection because it grows with the cluster. */
  constructor(private readonly transmitLimit: () => number) {}

  /** How many wait. */
  get length(): number {
    return this.#items.length;
  }

  /** The messages in the order in which they would be sent; for tests and inspection. */
  get ordered(): readonly { readonly message: Uint8Array; readonly transmits: number }[] {
    return this.#items;
  }

  /** Queues a broadcast. A full queue drops the one sent most often. */
  add(broadcast: Broadcast): void {
    const old = broadcast.name === undefined ? undefined : this.#named.get(broadcast.name);
    if (old !== undefined) this.#finish(old);
    const item = { ...broadcast, transmits: 0, id: this.#nextId++ };
    this.#insert(item);
    if (item.name !== undefined) this.#named.set(item.name, item);
    if (this.#items.length > limits.broadcastsMax) this.prune(limits.broadcastsMax);
  }

  /**
   * Messages for one packet: together, with `overhead` bytes for each, within `limit` bytes. Each counts as sent once more;
   * one that reached the limit is finished.
   */
  take(overhead: number, limit: number): Uint8Array[] {
    const transmitLimit = this.transmitLimit();
    const taken: Item[] = [];
    let room = limit;
    for (let at = 0; at < this.#items.length && room > overhead;) {
      const item = this.#items[at];
      if (item === undefined) break;
      if (overhead + item.message.length > room) {
        at = this.#firstAtMost(at, item.transmits, room - overhead);
        continue;
      }
      room -= overhead + item.message.length;
      this.#items.splice(at, 1);
      taken.push(item);
    }
    for (const item of taken) this.#sent(item, transmitLimit);
    if (this.#items.length === 0) this.#nextId = 1;
    return taken.map((item) => item.message);
  }

  /** Keeps the `keep` that would be sent first. */
  prune(keep: number): void {
    while (this.#items.length > keep) {
      const last = this.#items.at(-1);
      if (last === undefined) return;
      this.#finish(last);
    }
  }

  /** Drops them all. */
  reset(): void {
    this.prune(0);
    this.#nextId = 1;
  }

  /** Selected ones are out of the list already. */
  #sent(item: Item, transmitLimit: number): void {
    item.transmits++;
    if (item.transmits < transmitLimit) return this.#insert(item);
    if (item.name !== undefined) this.#named.delete(item.name);
    item.finished?.();
  }

  #finish(item: Item): void {
    this.#items.splice(this.#position(item), 1);
    if (item.name !== undefined) this.#named.delete(item.name);
    item.finished?.();
  }

  #insert(item: Item): void {
    this.#items.splice(this.#position(item), 0, item);
  }

  #position(item: Item): number {
    return this.#search(0, (other) => before(other, item));
  }

  /** First item from `from` on that is in a later tier, or in this one and no longer than `length`. */
  #firstAtMost(from: number, transmits: number, length: number): number {
    return this.#search(from, (other) => other.transmits === transmits && other.message.length > length);
  }

  /** First index from `from` on for which `skip` is false; it is true only for a stretch at the beginning. */
  #search(from: number, skip: (item: Item) => boolean): number {
    let [low, high] = [from, this.#items.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const item = this.#items[middle];
      if (item !== undefined && skip(item)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
