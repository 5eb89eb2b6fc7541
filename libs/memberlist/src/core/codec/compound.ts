import { limits } from '../limits.js';
import { concat, readU16 } from './bytes.js';
import { codes } from './schema.js';
import { type Decoded, decoded, undecodable } from './struct.js';

/** Bytes that a compound adds: once, and for each part. */
export const compoundOverhead = { header: 2, part: 2 } as const;

/** Several messages as one. At most {@link limits.compoundPartsMax} parts of at most 65 535 bytes. */
export function encodeCompound(parts: readonly Uint8Array[]): Uint8Array {
  const head = new Uint8Array(compoundOverhead.header + parts.length * compoundOverhead.part);
  head[0] = codes.compound;
  head[1] = parts.length;
  parts.forEach((part, i) => {
    head[2 + i * 2] = part.length >> 8;
    head[3 + i * 2] = part.length;
  });
  return concat([head, ...parts]);
}

/** As few messages as possible: one alone stays bare, more become compounds that old peers can read. */
export function packMessages(messages: readonly Uint8Array[]): Uint8Array[] {
  const packed: Uint8Array[] = [];
  for (let from = 0; from < messages.length; from += limits.compoundPartsMax) {
    const group = messages.slice(from, from + limits.compoundPartsMax);
    const [only] = group;
    packed.push(group.length === 1 && only !== undefined ? only : encodeCompound(group));
  }
  return packed;
}

/** The parts of a compound whose type byte is first. `truncated` counts those whose bytes are missing; the ones before are kept. */
export function decodeCompound(
  bytes: Uint8Array,
): Decoded<{ readonly parts: readonly Uint8Array[]; readonly truncated: number }> {
  const count = bytes[1];
  if (count === undefined) return undecodable('compound: missing its length byte');
  let at = compoundOverhead.header + count * compoundOverhead.part;
  if (at > bytes.length) return undecodable('compound: truncated list of lengths');
  const parts: Uint8Array[] = [];
  for (let i = 0; i < count; i++) {
    const length = readU16(bytes, compoundOverhead.header + i * compoundOverhead.part);
    if (at + length > bytes.length) return decoded({ parts, truncated: count - i });
    parts.push(bytes.subarray(at, at + length));
    at += length;
  }
  return decoded({ parts, truncated: 0 });
}
