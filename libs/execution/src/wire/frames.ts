import { limits } from '@das/contracts';

/** Frames: [u32 length, little endian][type][payload]. The other end is python/das_worker/channel.py. */
export interface Frame {
  readonly type: string;
  readonly payload: Buffer;
}

/** One result may be as large as a result can be; a frame holds it with its head. */
export const frameBytesMax = limits.resultBytesMax + 1024 * 1024;
const headBytes = 5;

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
  return { head: JSON.parse(payload.toString('utf8', 4, 4 + length)), raw: payload.subarray(4 + length) };
}

/** Cuts a byte stream into frames. A script shares the worker's process, so the stream is not trusted: frames are bounded. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #bytes = 0;

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
  }

  /** The next whole frame. @throws RangeError for one that is too long. */
  next(): Frame | undefined {
    if (this.#bytes < headBytes) return undefined;
    const head = this.#peek(headBytes);
    const length = head.readUInt32LE(0);
    if (length > frameBytesMax) throw new RangeError(`a frame of ${length} bytes; the limit is ${frameBytesMax}`);
    if (this.#bytes < headBytes + length) return undefined;
    const type = String.fromCharCode(head.readUInt8(4));
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
