import { concat } from './bytes.js';

/** Where a byte that is no UTF-8 goes: U+DC80..U+DCFF, low surrogates that no valid text has alone. */
const escapeBase = 0xdc00;
const replacement = 0xfffd;

/**
 * Text of UTF-8 bytes, without loss: in the original a name is any bytes, so two different invalid names must stay different
 * and be sent on as they came. Invalid bytes become lone surrogates, which {@link encodeText} turns back (as Python's `surrogateescape`).
 */
export function decodeText(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length;) {
    const [point, size] = codePoint(bytes, at);
    text += point < 0 ? String.fromCharCode(escapeBase + (bytes[at] ?? 0)) : String.fromCodePoint(point);
    at += size;
  }
  return text;
}

/** The code point at `at` and its size; −1 and 1 when the byte begins none. */
function codePoint(bytes: Uint8Array, at: number): readonly [point: number, size: number] {
  const lead = bytes[at] ?? 0;
  if (lead < 0x80) return [lead, 1];
  const size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || at + size > bytes.length) return [-1, 1];
  let point = lead & (0xff >> (size + 1));
  for (let i = 1; i < size; i++) {
    const next = bytes[at + i] ?? 0;
    if ((next & 0xc0) !== 0x80) return [-1, 1];
    point = (point << 6) | (next & 0x3f);
  }
  const overlong = (size === 3 && point < 0x800) || (size === 4 && point < 0x1_0000);
  const impossible = point > 0x10_ffff || (point >= 0xd800 && point < 0xe000);
  return overlong || impossible ? [-1, 1] : [point, size];
}

/** The UTF-8 bytes of a text; the inverse of {@link decodeText}. A lone surrogate of no byte becomes U+FFFD. */
export function encodeText(text: string): Uint8Array {
  // Names are ASCII as a rule, and every message about a member encodes one.
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0x80) return encodeAny(text);
    bytes[i] = unit;
  }
  return bytes;
}

function encodeAny(text: string): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const character of text) parts.push(Uint8Array.from(utf8(character.codePointAt(0) ?? 0)));
  return concat(parts);
}

function utf8(point: number): readonly number[] {
  if (point < 0x80) return [point];
  if (point < 0x800) return [0xc0 | (point >> 6), tail(point)];
  if (point >= escapeBase + 0x80 && point <= escapeBase + 0xff) return [point - escapeBase];
  if (point >= 0xd800 && point < 0xe000) return utf8(replacement);
  if (point < 0x1_0000) return [0xe0 | (point >> 12), tail(point >> 6), tail(point)];
  return [0xf0 | (point >> 18), tail(point >> 12), tail(point >> 6), tail(point)];
}

function tail(bits: number): number {
  return 0x80 | (bits & 0x3f);
}
