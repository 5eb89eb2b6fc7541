import { limits } from '../limits.js';
import { noBytes, readU16, readU32 } from './bytes.js';
import { decodeText } from './utf8.js';
import { Work } from './work.js';

/** Why reading stopped: `short` when more bytes may help, else what is wrong with those there. */
export type ReadFault = 'short' | { readonly problem: string };

type Tag = 'nil' | 'bool' | 'uint' | 'negative' | 'float' | 'raw' | 'array' | 'map' | 'ext' | 'unused';

/** One value's header: `value` is the number itself, or how many bytes or entries follow. */
interface Head {
  readonly tag: Tag;
  readonly value: number;
}

const nil: Head = { tag: 'nil', value: 0 };
const maxU32 = 0xffff_ffff;

/**
 * Reads msgpack as tolerantly as the newest original does: every width of number, raw, str and bin alike, unknown values skipped.
 * Never throws. The first fault sticks in {@link fault}; from then on every read gives the zero value and moves nothing.
 */
export class MsgpackReader {
  #fault: ReadFault | undefined;

  /** Reads `bytes` from `position`, up to their end. */
  constructor(
    private readonly bytes: Uint8Array,
    private at = 0,
    private readonly work = new Work(),
  ) {}

  /** The first fault, if there was one. */
  get fault(): ReadFault | undefined {
    return this.#fault;
  }

  /** Index of the next byte to read. */
  get position(): number {
    return this.at;
  }

  /** Entries of a map or elements of an array (the original takes a struct in both forms). nil is an empty map. */
  struct(): { readonly form: 'map' | 'array'; readonly size: number } {
    const head = this.#head();
    if (head.tag === 'map' || head.tag === 'array') return { form: head.tag, size: head.value };
    if (head.tag !== 'nil') this.#fail('a struct is no map');
    return { form: 'map', size: 0 };
  }

  /** Text of any kind of raw; nil is empty. */
  text(): string {
    return decodeText(this.bytesOrNil() ?? noBytes);
  }

  /** Bytes of any kind of raw, or of an array of small numbers; nil is `undefined`. The bytes are a view, not a copy. */
  bytesOrNil(): Uint8Array | undefined {
    const head = this.#head();
    if (head.tag === 'raw') return this.#counted(this.#take(head.value));
    if (head.tag === 'array') return this.#byteArray(head.value);
    if (head.tag !== 'nil') this.#fail('expected bytes');
    return undefined;
  }

  /** A number from 0 to `max`, of any width and sign; nil is 0. */
  uint(max: number): number {
    const { tag, value } = this.#head();
    if (tag === 'nil') return 0;
    if (tag !== 'uint') return this.#fail(`expected an unsigned number, not ${tag}`);
    return value <= max ? value : this.#fail('number too large');
  }

  /** A boolean, or 0 and 1, which the original takes too; nil is false. */
  bool(): boolean {
    const { tag, value } = this.#head();
    if (tag === 'bool' || (tag === 'uint' && value <= 1)) return value === 1;
    if (tag !== 'nil') this.#fail('expected a boolean');
    return false;
  }

  /** Steps over one value of any kind, however much is in it. */
  skip(depth = 0): void {
    const head = this.#head();
    if (head.tag === 'unused') this.#fail('byte 0xc1 means nothing');
    else if (head.tag === 'raw' || head.tag === 'ext') this.#take(head.value);
    else if (head.tag === 'array' || head.tag === 'map') this.#skipEntries(head, depth);
  }

  #skipEntries(head: Head, depth: number): void {
    if (depth >= limits.skippedDepthMax) {
      this.#fail('nested too deep');
      return;
    }
    const values = head.tag === 'map' ? head.value * 2 : head.value;
    // Every value takes a byte at least, so a huge count ends with the input.
    for (let i = 0; i < values && this.#fault === undefined; i++) this.skip(depth + 1);
  }

  #byteArray(size: number): Uint8Array {
    if (this.at + size > this.bytes.length) return this.#short(noBytes);
    const values = new Uint8Array(size);
    for (let i = 0; i < size; i++) values[i] = this.uint(255);
    return values;
  }

  #counted(taken: Uint8Array): Uint8Array {
    this.work.steps += taken.length;
    return taken;
  }

  #take(size: number): Uint8Array {
    if (this.#fault !== undefined) return noBytes;
    if (this.at + size > this.bytes.length) return this.#short(noBytes);
    this.at += size;
    return this.bytes.subarray(this.at - size, this.at);
  }

  #head(): Head {
    if (this.#fault !== undefined) return nil;
    const byte = this.bytes[this.at];
    if (byte === undefined) return this.#short(nil);
    this.at++;
    this.work.steps++;
    if (byte < 0x80) return { tag: 'uint', value: byte };
    if (byte < 0x90) return { tag: 'map', value: byte & 0x0f };
    if (byte < 0xa0) return { tag: 'array', value: byte & 0x0f };
    if (byte < 0xc0) return { tag: 'raw', value: byte & 0x1f };
    if (byte >= 0xe0) return { tag: 'negative', value: byte - 0x100 };
    return this.#longHead(byte);
  }

  #longHead(byte: number): Head {
    switch (byte) {
      case 0xc0:
        return nil;
      case 0xc2:
      case 0xc3:
        return { tag: 'bool', value: byte & 1 };
      case 0xca:
        return { tag: 'float', value: this.#number(4) };
      case 0xcb:
        return { tag: 'float', value: this.#number(8) };
      default:
        return this.#sizedHead(byte);
    }
  }

  #sizedHead(byte: number): Head {
    if (byte >= 0xc4 && byte <= 0xc6) return { tag: 'raw', value: this.#number(1 << (byte - 0xc4)) };
    // Ext: the type byte counts as one more byte to skip.
    if (byte >= 0xc7 && byte <= 0xc9) return { tag: 'ext', value: this.#number(1 << (byte - 0xc7)) + 1 };
    if (byte >= 0xcc && byte <= 0xcf) return { tag: 'uint', value: this.#number(1 << (byte - 0xcc)) };
    if (byte >= 0xd0 && byte <= 0xd3) return this.#signed(1 << (byte - 0xd0));
    if (byte >= 0xd4 && byte <= 0xd8) return { tag: 'ext', value: (1 << (byte - 0xd4)) + 1 };
    if (byte >= 0xd9 && byte <= 0xdb) return { tag: 'raw', value: this.#number(1 << (byte - 0xd9)) };
    if (byte === 0xdc || byte === 0xdd) return { tag: 'array', value: this.#number(byte === 0xdc ? 2 : 4) };
    if (byte === 0xde || byte === 0xdf) return { tag: 'map', value: this.#number(byte === 0xde ? 2 : 4) };
    return { tag: 'unused', value: 0 };
  }

  #signed(size: number): Head {
    const negative = ((this.bytes[this.at] ?? 0) & 0x80) !== 0;
    return { tag: negative ? 'negative' : 'uint', value: this.#number(size) };
  }

  /** Unsigned, big endian. Beyond 2^53 it is inexact, and larger than any field allows. */
  #number(size: number): number {
    const { at } = this;
    if (this.#take(size).length < size) return 0;
    if (size === 1) return this.bytes[at] ?? 0;
    if (size === 2) return readU16(this.bytes, at);
    if (size === 4) return readU32(this.bytes, at);
    return readU32(this.bytes, at) * (maxU32 + 1) + readU32(this.bytes, at + 4);
  }

  #short<T>(value: T): T {
    this.#fault ??= 'short';
    return value;
  }

  #fail(problem: string): number {
    this.#fault ??= { problem };
    return 0;
  }
}
