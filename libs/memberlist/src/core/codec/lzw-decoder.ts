import { lzw } from './lzw.js';
import { type Decoded, decoded, undecodable } from './struct.js';
import { Work } from './work.js';

/** Scratch of {@link lzwDecode}: what a code stands for is its prefix's bytes and one more. Entries are written before they are read. */
const prefixes = new Uint16Array(lzw.codesMax + 1);
const suffixes = new Uint8Array(lzw.codesMax + 1);
const lengths = new Uint16Array(lzw.codesMax + 1);
for (let code = 0; code < lzw.clear; code++) {
  suffixes[code] = code;
  lengths[code] = 1;
}
const none = -1;

/** Undoes `lzwEncode`. Gives at most `bytesMax` bytes; input that would give more is refused, as is input without its end code. */
export function lzwDecode(input: Uint8Array, bytesMax: number, work = new Work()): Decoded<Uint8Array> {
  const decoder = new Decoder(input, bytesMax);
  for (;;) {
    const problem = decoder.step();
    if (problem === undefined) continue;
    work.inflatedBytes += decoder.length;
    return problem === 'end' ? decoded(decoder.output()) : undecodable(problem);
  }
}

class Decoder {
  #out: Uint8Array;
  #length = 0;
  #at = 0;
  #bits = 0;
  #bitCount = 0;
  #width: number = lzw.firstWidth;
  #last: number = lzw.end;
  #previous = none;

  constructor(
    private readonly input: Uint8Array,
    private readonly bytesMax: number,
  ) {
    this.#out = new Uint8Array(Math.min(bytesMax, input.length * 4 + 64));
  }

  /** Handles one code: nothing when there is more to do, `end`, or the problem. */
  step(): string | undefined {
    const code = this.#next();
    if (code === none) return 'compressed data is truncated';
    if (code === lzw.end) return 'end';
    if (code === lzw.clear) {
      this.#width = lzw.firstWidth;
      this.#last = lzw.end;
      this.#previous = none;
      return undefined;
    }
    return this.#string(code);
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  output(): Uint8Array {
    return this.#out.slice(0, this.#length);
  }

  #next(): number {
    while (this.#bitCount < this.#width) {
      const byte = this.input[this.#at++];
      if (byte === undefined) return none;
      this.#bits |= byte << this.#bitCount;
      this.#bitCount += 8;
    }
    const code = this.#bits & ((1 << this.#width) - 1);
    this.#bits >>>= this.#width;
    this.#bitCount -= this.#width;
    return code;
  }

  #string(code: number): string | undefined {
    // A code not yet in the table: it can only be the previous string and that string's own first byte.
    // Without a previous string the table is full and its last entry is known.
    const unfinished = code === this.#last && this.#previous !== none;
    if (code > this.#last) return 'compressed data has an unknown code';
    const known = unfinished ? this.#previous : code;
    const length = (lengths[known] ?? 0) + (unfinished ? 1 : 0);
    if (!this.#room(length)) return `decompresses to more than ${this.bytesMax} bytes`;
    const first = this.#write(known);
    if (unfinished) this.#out[this.#length++] = first;
    if (this.#previous !== none) this.#add(this.#previous, first);
    this.#count(code);
    return undefined;
  }

  #add(prefix: number, suffix: number): void {
    prefixes[this.#last] = prefix;
    suffixes[this.#last] = suffix;
    lengths[this.#last] = (lengths[prefix] ?? 0) + 1;
  }

  /** Widens the codes; a full table stays as it is until the next clear. */
  #count(code: number): void {
    this.#previous = code;
    this.#last++;
    if (this.#last < 1 << this.#width) return;
    if (this.#width < lzw.lastWidth) {
      this.#width++;
    } else {
      this.#last--;
      this.#previous = none;
    }
  }

  /** Writes a code's string from its end; gives its first byte. */
  #write(code: number): number {
    const length = lengths[code] ?? 0;
    let at = this.#length + length;
    let rest = code;
    while (rest > lzw.end) {
      this.#out[--at] = suffixes[rest] ?? 0;
      rest = prefixes[rest] ?? 0;
    }
    this.#out[--at] = rest;
    this.#length += length;
    return rest;
  }

  #room(more: number): boolean {
    const needed = this.#length + more;
    if (needed > this.bytesMax) return false;
    if (needed > this.#out.length) {
      const larger = new Uint8Array(Math.min(this.bytesMax, Math.max(needed, this.#out.length * 2)));
      larger.set(this.#out.subarray(0, this.#length));
      this.#out = larger;
    }
    return true;
  }
}
