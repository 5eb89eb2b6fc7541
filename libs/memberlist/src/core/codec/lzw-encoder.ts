import { lzw } from './lzw.js';

const slots = 1 << 14;
const empty = -1;
/** Scratch of {@link lzwEncode}, filled anew by every call: a table of 64 KiB is too dear for each small packet. */
const keys = new Int32Array(slots);
const values = new Int16Array(slots);

/**
 * Lempel–Ziv–Welch, least significant bits first, 8-bit literals, widths 9 to 12: the GIF flavour, without TIFF's early change.
 * The output is the original's byte for byte.
 */
export function lzwEncode(input: Uint8Array): Uint8Array {
  const encoder = new Encoder(input.length);
  encoder.emit(lzw.clear);
  let prefix = input[0];
  for (let at = 1; at < input.length && prefix !== undefined; at++) {
    const byte = input[at] ?? 0;
    const known = find((prefix << 8) | byte);
    if (known >= 0) {
      prefix = known;
      continue;
    }
    encoder.emit(prefix);
    if (encoder.grow()) put((prefix << 8) | byte, encoder.last);
    prefix = byte;
  }
  if (prefix !== undefined) {
    encoder.emit(prefix);
    encoder.grow();
  }
  encoder.emit(lzw.end);
  return encoder.finish();
}

function find(key: number): number {
  let slot = hash(key);
  while (keys[slot] !== empty) {
    if (keys[slot] === key) return values[slot] ?? empty;
    slot = (slot + 1) & (slots - 1);
  }
  return empty;
}

function put(key: number, code: number): void {
  let slot = hash(key);
  while (keys[slot] !== empty) slot = (slot + 1) & (slots - 1);
  keys[slot] = key;
  values[slot] = code;
}

function hash(key: number): number {
  return ((key >>> 12) ^ key) & (slots - 1);
}

/** Packs codes into bytes and keeps the counter that both sides derive the width from. */
class Encoder {
  #bytes: Uint8Array;
  #length = 0;
  #bits = 0;
  #bitCount = 0;
  #width: number = lzw.firstWidth;
  /** The newest code of the table. */
  last: number = lzw.end;

  constructor(inputLength: number) {
    // The worst input takes 12 bits a byte and a clear code now and then.
    this.#bytes = new Uint8Array(Math.ceil(inputLength * 1.6) + 16);
    keys.fill(empty);
  }

  emit(code: number): void {
    this.#bits |= code << this.#bitCount;
    this.#bitCount += this.#width;
    while (this.#bitCount >= 8) {
      this.#bytes[this.#length++] = this.#bits;
      this.#bits >>>= 8;
      this.#bitCount -= 8;
    }
  }

  /** Counts one more code. False when the table is full: it was cleared, and the string just met is not added. */
  grow(): boolean {
    this.last++;
    if (this.last === 1 << this.#width) this.#width++;
    if (this.last < lzw.codesMax) return true;
    this.emit(lzw.clear);
    this.#width = lzw.firstWidth;
    this.last = lzw.end;
    keys.fill(empty);
    return false;
  }

  finish(): Uint8Array {
    if (this.#bitCount > 0) this.#bytes[this.#length++] = this.#bits;
    return this.#bytes.slice(0, this.#length);
  }
}
