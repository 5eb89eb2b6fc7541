import { createHash } from 'node:crypto';
import type { SpoolFile } from '../ports/spool-files.js';

/*
 * magic (8) | bytes of the head (u32) | bytes of raw (u32) | sha256 of raw | sha256 of all before and of the head | head | raw
 * Little endian. A file that was cut anywhere, or of which a byte changed, is told from a whole one.
 */
const magic = Buffer.from('DASSPL1\n');
const sumBytes = 32;
const frontBytes = magic.length + 8 + sumBytes;
export const headerBytes = frontBytes + sumBytes;
/** A head names rows and failures; a larger one is none of ours (bytes). */
export const headBytesMax = 16 * 1024 * 1024;
/** Rows that may be under way to the store, and one result in its pages, with room to spare (bytes). */
export const rawBytesMax = 128 * 1024 * 1024;

export interface Header {
  readonly headBytes: number;
  readonly rawBytes: number;
  readonly rawSum: Buffer;
  /** Over everything but raw. */
  readonly sum: Buffer;
  readonly front: Buffer;
}

const sha256 = (pieces: readonly Uint8Array[]): Buffer => {
  const hash = createHash('sha256');
  for (const piece of pieces) hash.update(piece);
  return hash.digest();
};
const bytesOf = (pieces: readonly Uint8Array[]): number => pieces.reduce((sum, { length }) => sum + length, 0);

/** @throws RangeError for what the format does not hold. */
export function encodeFile({ head, raw }: SpoolFile): readonly Uint8Array[] {
  const headPiece = Buffer.from(head);
  const rawBytes = bytesOf(raw);
  if (headPiece.length > headBytesMax || rawBytes > rawBytesMax)
    throw new RangeError(`an output of ${headPiece.length} + ${rawBytes} bytes does not fit a spool file`);
  const front = Buffer.alloc(frontBytes);
  magic.copy(front);
  front.writeUInt32LE(headPiece.length, magic.length);
  front.writeUInt32LE(rawBytes, magic.length + 4);
  sha256(raw).copy(front, magic.length + 8);
  return [front, sha256([front, headPiece]), headPiece, ...raw];
}

/** Undefined: it is no header of ours, or not all of it. */
export function decodeHeader(bytes: Buffer): Header | undefined {
  if (bytes.length < headerBytes || !bytes.subarray(0, magic.length).equals(magic)) return undefined;
  const headBytes = bytes.readUInt32LE(magic.length);
  const rawBytes = bytes.readUInt32LE(magic.length + 4);
  if (headBytes > headBytesMax || rawBytes > rawBytesMax) return undefined;
  const front = bytes.subarray(0, frontBytes);
  return {
    ...{ headBytes, rawBytes, front },
    rawSum: bytes.subarray(magic.length + 8, frontBytes),
    sum: bytes.subarray(frontBytes, headerBytes),
  };
}

export const isWholeHead = ({ front, sum, headBytes }: Header, head: Buffer): boolean =>
  head.length === headBytes && sha256([front, head]).equals(sum);
export const isWholeRaw = ({ rawSum, rawBytes }: Header, raw: Buffer): boolean =>
  raw.length === rawBytes && sha256([raw]).equals(rawSum);
export const fileBytes = ({ headBytes, rawBytes }: Header): number => headerBytes + headBytes + rawBytes;
