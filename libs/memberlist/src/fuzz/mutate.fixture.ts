import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { encodeCompound } from '../core/codec/compound.js';
import { compress } from '../core/codec/compress.js';
import { addCrc } from '../core/codec/crc.js';
import { encodePackets } from '../core/codec/packet.js';
import type { Rng } from '../core/types.js';
import { ascii, golden, ringOf, unhex, wireOf } from '../golden.fixture.js';

/** The key of the golden streams. */
export const keyring = ringOf(unhex(golden.stream.key));

/** Valid packets of every kind and wrapper to begin with. */
export function corpus(): Uint8Array[] {
  const plain = golden.messages.map((message) => unhex(message.hex));
  const wrapped = plain.flatMap((bytes) => [compress(bytes), addCrc(bytes), addCrc(compress(bytes))]);
  return [
    ...plain,
    ...wrapped,
    encodeCompound(plain.slice(0, 12)),
    addCrc(encodeCompound([encodeCompound(plain.slice(3, 9)), compress(encodeCompound(plain.slice(8, 14)))])),
    ...encodePackets(plain.slice(0, 5), true, wireOf({ keyring })),
    ...encodePackets(plain.slice(0, 5), true, wireOf({ label: ascii('blue') })),
  ];
}

/** Type bytes, headers of values, and lengths at the edges. */
const interesting = [0, 1, 7, 9, 10, 12, 127, 128, 192, 196, 202, 212, 219, 221, 223, 244, 255];

/** Flips, cuts, grows, doubles and splices: at structure as well as at random. */
export function mutate(bytes: Uint8Array, other: Uint8Array, rng: Rng): Uint8Array {
  const at = Math.floor(rng() * bytes.length);
  const copy = bytes.slice();
  switch (Math.floor(rng() * 7)) {
    case 0:
      copy[at] = Math.floor(rng() * 256);
      return copy;
    case 1:
      copy[at] = interesting[Math.floor(rng() * interesting.length)] ?? 0;
      return copy;
    case 2:
      return copy.subarray(0, at);
    case 3:
      return encodeCompound([copy, other.subarray(0, 1000), copy.subarray(at)]);
    case 4:
      return Uint8Array.from([...copy.subarray(0, at), ...other.subarray(0, 200), ...copy.subarray(at)]);
    case 5:
      // A length of four bytes in the middle of something: the largest, or one just beyond the end.
      return Uint8Array.from([...copy.subarray(0, at), 0xdb, 0, 0, 1, at & 0xff, ...copy.subarray(at)]);
    default:
      return compress(copy.subarray(0, 500));
  }
}

/** Bytes in use once all garbage is gone. */
export function heapInUse(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
