import { noBytes } from './bytes.js';
import { encodeText } from './utf8.js';

const firstBytes = 1024;
/** A larger one is not worth keeping: what a peer's 20 MiB asked for is given back. */
const spareBytesMax = 64 << 10;
/** The buffer of the writer before: nearly every message fits into it, and a new one each time costs more than the writing. */
let spare: Uint8Array | undefined;

/**
 * Writes the old msgpack flavour ("raw", before str8 and bin existed), the only one that every version of the original reads.
 * Text and bytes look the same; numbers are written unsigned and as short as they go.
 */
export class MsgpackWriter {
  #bytes: Uint8Array;
  #length = 0;

  constructor() {
    this.#bytes = spare ?? new Uint8Array(firstBytes);
    spare = undefined;
  }

  /** A map of at most 15 entries; the entries follow as key, value, key, value. */
  map(entries: number): void {
    this.#put(0x80 | entries);
  }

  /** A text as raw bytes. */
  text(text: string): void {
    this.bytes(encodeText(text));
  }

  /** Raw bytes; `undefined` is nil, which the original keeps apart from empty. */
  bytes(bytes: Uint8Array | undefined): void {
    if (bytes === undefined) return this.#put(0xc0);
    if (bytes.length < 32) this.#put(0xa0 | bytes.length);
    else if (bytes.length < 0x1_0000) this.#number(0xda, bytes.length, 2);
    else this.#number(0xdb, bytes.length, 4);
    this.raw(bytes);
  }

  /** A whole number from 0 to 2^53 − 1. */
  uint(value: number): void {
    if (value < 0x80) this.#put(value);
    else if (value < 0x100) this.#number(0xcc, value, 1);
    else if (value < 0x1_0000) this.#number(0xcd, value, 2);
    else if (value < 0x1_0000_0000) this.#number(0xce, value, 4);
    else this.#number(0xcf, value, 8);
  }

  /** True or false. */
  bool(value: boolean): void {
    this.#put(value ? 0xc3 : 0xc2);
  }

  /** Bytes as they are, without a header. */
  raw(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** One byte as it is. */
  byte(value: number): void {
    this.#put(value);
  }

  /** What was written. The writer is empty afterwards. */
  finish(): Uint8Array {
    const written = this.#bytes.slice(0, this.#length);
    if (this.#bytes.length <= spareBytesMax) spare = this.#bytes;
    this.#bytes = noBytes;
    this.#length = 0;
    return written;
  }

  #number(header: number, value: number, size: number): void {
    this.#put(header);
    for (let i = size - 1; i >= 0; i--) this.#put(Math.floor(value / 256 ** i) & 0xff);
  }

  #put(byte: number): void {
    this.#room(1);
    this.#bytes[this.#length++] = byte;
  }

  #room(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + more));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}
