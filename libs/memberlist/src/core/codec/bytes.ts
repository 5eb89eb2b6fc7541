/** Nothing, shared: never written to. */
export const noBytes = new Uint8Array(0);

/** All parts in one new array. */
export function concat(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Same length and same bytes; nothing (`undefined`, nil on the wire) equals an empty array. */
export function equalBytes(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  const left = a ?? noBytes;
  const right = b ?? noBytes;
  if (left.length !== right.length) return false;
  for (let i = 0; i < left.length; i++) if (left[i] !== right[i]) return false;
  return true;
}

/** An unsigned 16-bit number, big endian. Beyond the end counts as zero: check the length first. */
export function readU16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

/** An unsigned 32-bit number, big endian. Beyond the end counts as zero: check the length first. */
export function readU32(bytes: Uint8Array, at: number): number {
  return readU16(bytes, at) * 0x1_0000 + readU16(bytes, at + 2);
}

/** Writes an unsigned 32-bit number, big endian. */
export function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}
