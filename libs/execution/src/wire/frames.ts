import { limits } from '@das/contracts';

/** Frames: [u32 length, little endian][type][payload]. The other end is python/das_worker/channel.py. */
export interface Frame {
  readonly type: string;
  readonly payload: Buffer;
}

/** One result may be as large as a result can be; a frame holds it with its head. */
export const frameBytesMax = limits.resultBytesMax + 1024 * 1024;
/** A failure: some 11,000 characters at most, of up to 12 bytes each as JSON in ASCII. */
const failureBytesMax = 256 * 1024;
const questionBytesMax = 4 * 1024;
/** A JSON head in front of raw bytes: 1,024 buckets with their sizes need about 20 KiB. */
const jsonHeadBytesMax = 64 * 1024;
const headBytes = 5;

/** What a worker sends, and how long each may be (bytes). Only what holds results is long: all else is parsed at once, on the executor's thread. */
const bytesMaxByType: ReadonlyMap<string, number> = new Map([
  ...['O', 'W', 'Q', 'K'].map((type) => [type, frameBytesMax] as const),
  ...['F', 'X', 'I', 'L'].map((type) => [type, failureBytesMax] as const),
  ...['C', 'T', 'R'].map((type) => [type, questionBytesMax] as const),
]);

export function frame(type: string, ...chunks: readonly Uint8Array[]): Buffer[] {
  const head = Buffer.allocUnsafe(headBytes);
  head.writeUInt32LE(
    chunks.reduce((sum, chunk) => sum + chunk.length, 0),
    0,
  );
  head.writeUInt8(type.charCodeAt(0), 4);
  return [head, ...chunks.map((chunk) => Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))];
}

export const jsonFrame = (type: string, value: unknown): Buffer[] => frame(type, Buffer.from(JSON.stringify(value)));

/** A number in front of raw bytes. */
export function numberedFrame(type: string, number: number, raw: Uint8Array): Buffer[] {
  const head = Buffer.allocUnsafe(4);
  head.writeUInt32LE(number, 0);
  return frame(type, head, raw);
}

/** A JSON head, then raw bytes. @throws SyntaxError or RangeError for what no worker of ours sends. */
export function splitHead(payload: Buffer): { readonly head: unknown; readonly raw: Buffer } {
  const length = payload.readUInt32LE(0);
  if (length > jsonHeadBytesMax) throw new RangeError(`a head of ${length} bytes; the limit is ${jsonHeadBytesMax}`);
  return { head: JSON.parse(payload.toString('utf8', 4, 4 + length)), raw: payload.subarray(4 + length) };
}

/** Cuts what a worker sends into frames. A script shares the worker's process, so the stream is not trusted: each type is bounded. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #bytes = 0;

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
  }

  /** The next whole frame. @throws for one that is too long or of no known type, from its head alone: nothing of it is kept. */
  next(): Frame | undefined {
    if (this.#bytes < headBytes) return undefined;
    const head = this.#peek(headBytes);
    const length = head.readUInt32LE(0);
    const type = String.fromCharCode(head.readUInt8(4));
    const most = bytesMaxByType.get(type);
    if (most === undefined) throw new TypeError(`a frame of type ${JSON.stringify(type)}`);
    if (length > most)
      throw new RangeError(`a frame of type ${JSON.stringify(type)} with ${length} bytes; the limit is ${most}`);
    if (this.#bytes < headBytes + length) return undefined;
    this.#take(headBytes);
    return { type, payload: this.#take(length) };
  }

  #peek(length: number): Buffer {
    const [first] = this.#chunks;
    if (first !== undefined && first.length >= length) return first;
    this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] ?? Buffer.alloc(0);
  }

  #take(length: number): Buffer {
    if (length === 0) return Buffer.alloc(0);
    const buffer = this.#peek(length);
    const taken = buffer.subarray(0, length);
    if (buffer.length === length) this.#chunks.shift();
    else this.#chunks[0] = buffer.subarray(length);
    this.#bytes -= length;
    return taken;
  }
}
