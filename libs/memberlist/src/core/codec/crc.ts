import { readU32, writeU32 } from './bytes.js';
import { codes } from './schema.js';
import { type Decoded, decoded, undecodable } from './struct.js';

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb8_8320 : crc >>> 1;
  return crc;
});

/** CRC-32 (IEEE 802.3). */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ (table[(crc ^ byte) & 0xff] ?? 0);
  return (crc ^ 0xffff_ffff) >>> 0;
}

/** Bytes that the wrapper adds. */
export const crcOverhead = 5;

/** Puts the checksum before the bytes. Only for receivers of protocol 5 and later. */
export function addCrc(bytes: Uint8Array): Uint8Array {
  const wrapped = new Uint8Array(bytes.length + crcOverhead);
  wrapped[0] = codes.crc;
  writeU32(wrapped, 1, crc32(bytes));
  wrapped.set(bytes, crcOverhead);
  return wrapped;
}

/** Whether the checksum's wrapper is there: shorter packets never have it. */
export function hasCrc(bytes: Uint8Array): boolean {
  return bytes.length >= crcOverhead && bytes[0] === codes.crc;
}

/** Checks and removes the wrapper; call it only when {@link hasCrc}. */
export function removeCrc(bytes: Uint8Array): Decoded<Uint8Array> {
  const inside = bytes.subarray(crcOverhead);
  return crc32(inside) === readU32(bytes, 1) ? decoded(inside) : undecodable('checksum does not match');
}
