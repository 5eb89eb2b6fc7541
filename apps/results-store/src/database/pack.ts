import { promisify } from 'node:util';
import { deflateRaw, inflateRaw } from 'node:zlib';

const deflate = promisify(deflateRaw);
const inflate = promisify(inflateRaw);

/** Below this, deflate saves less than a row's overhead. */
const packBytesMin = 512;
/** Packing must save this share, or reading would pay for nothing. */
const worthwhile = 0.9;
/** Nothing stored is larger once unpacked: a block, an output row or a chunk is at most a page. */
const unpackedBytesMax = 2 * 1024 * 1024;

export interface Packed {
  readonly packed: boolean;
  readonly data: Uint8Array;
}

/** Compresses (off this thread) what is worth it. Level 1: half the time of the default for a tenth more bytes. */
export async function pack(data: Uint8Array): Promise<Packed> {
  if (data.length <= packBytesMin) return { packed: false, data };
  const small = await deflate(data, { level: 1 });
  return small.length < data.length * worthwhile ? { packed: true, data: small } : { packed: false, data };
}

export async function unpack({ packed, data }: Packed): Promise<Uint8Array> {
  return packed ? inflate(data, { maxOutputLength: unpackedBytesMax }) : data;
}
