import { limits } from '@das/contracts';

/** A run of items as it is stored: NDJSON, each line ended. Numbered from 0, as are the items. */
export interface Block {
  readonly no: number;
  readonly from: number;
  readonly to: number;
  readonly bytes: Uint8Array;
}

const newline = 0x0a;
/** What nearly every item completes; shared, because one more array per item would be a tenth of its cost. */
const none: readonly Block[] = [];

/** Packs items into blocks by the bounds of `limits`. Which items share a block depends on the items alone, never on when they came. */
export class BlockBuilder {
  #buffer = new Uint8Array(limits.blockBytes);
  #filled = 0;
  #no = 0;
  #from = 0;
  #items = 0;

  /** Items taken so far. */
  get items(): number {
    return this.#items;
  }

  /** Adds one item (its JSON text, without a line end); gives the blocks that this completed, at most two. */
  add(item: Uint8Array): readonly Block[] {
    const bytes = item.length + 1;
    const before = this.#filled > 0 && this.#filled + bytes > limits.blockBytes ? this.flush() : none;
    if (bytes > this.#buffer.length) this.#buffer = new Uint8Array(bytes);
    this.#buffer.set(item, this.#filled);
    this.#filled += bytes;
    this.#buffer[this.#filled - 1] = newline;
    this.#items += 1;
    const full = this.#filled >= limits.blockBytes || this.#items - this.#from >= limits.blockItemsMax;
    return full ? [...before, ...this.flush()] : before;
  }

  /** The block begun, if it has any item. */
  flush(): readonly Block[] {
    if (this.#filled === 0) return none;
    const block = { no: this.#no, from: this.#from, to: this.#items, bytes: this.#buffer.subarray(0, this.#filled) };
    this.#buffer = new Uint8Array(limits.blockBytes);
    this.#filled = 0;
    this.#no += 1;
    this.#from = this.#items;
    return [block];
  }
}
