import { noBytes } from './bytes.js';
import { lzwDecode } from './lzw-decoder.js';
import { lzwEncode } from './lzw-encoder.js';
import { codes, type Fields } from './schema.js';
import { type Decoded, decodeStruct, encodeStruct, undecodable } from './struct.js';
import { Work } from './work.js';

/** The only algorithm there is. */
const lzwAlgorithm = 0;

/** Bytes wrapped into a compressed message, which may be longer than they are. */
export function compress(bytes: Uint8Array): Uint8Array {
  return encodeStruct('compressed', { algo: lzwAlgorithm, buf: lzwEncode(bytes) }, codes.compressed);
}

/** The content of a compressed message whose type byte is first; at most `bytesMax` bytes. */
export function decompress(bytes: Uint8Array, bytesMax: number, work = new Work()): Decoded<Uint8Array> {
  const wrapper = decodeStruct('compressed', bytes, 1, work);
  return wrapper.ok ? inflate(wrapper.value, bytesMax, work) : undecodable(`compressed: ${wrapper.problem}`);
}

/** The content of a wrapper already read. */
export function inflate(wrapper: Fields<'compressed'>, bytesMax: number, work = new Work()): Decoded<Uint8Array> {
  if (wrapper.algo !== lzwAlgorithm) return undecodable(`unknown compression algorithm ${wrapper.algo}`);
  return lzwDecode(wrapper.buf ?? noBytes, bytesMax, work);
}
