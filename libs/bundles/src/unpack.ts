import { createHash } from 'node:crypto';
import { limits } from '@das/contracts';
import { type GivenFile, packMagic, sha256 } from './bundle.js';
import { type BundleFile, InvalidBundleError, manifestBytesMax, parseManifest } from './core/manifest.js';

/** Takes exact runs of bytes from a stream of chunks. */
class Taker {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array();

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** At least one byte and at most `max`. @throws InvalidBundleError at the end. */
  async some(max: number): Promise<Uint8Array> {
    while (this.#rest.length === 0) {
      const next = await this.#chunks.next();
      if (next.done === true) throw new InvalidBundleError('it breaks off');
      this.#rest = next.value;
    }
    const taken = this.#rest.subarray(0, max);
    this.#rest = this.#rest.subarray(taken.length);
    return taken;
  }

  async exactly(bytes: number): Promise<Buffer> {
    const pieces: Uint8Array[] = [];
    for (let left = bytes; left > 0;) {
      const piece = await this.some(left);
      pieces.push(piece);
      left -= piece.length;
    }
    return Buffer.concat(pieces);
  }

  async over(): Promise<boolean> {
    return this.#rest.length === 0 && (await this.#chunks.next()).done === true;
  }
}

/** Takes one file's bytes as they come; none of them is right before {@link unpack} ends. */
export interface FileSink {
  write(piece: Uint8Array): Promise<unknown>;
  close(): Promise<void>;
}

/**
 * Reads a pack, file by file; memory holds one chunk. `digest`: what the bundle must be, if it is known.
 * @throws InvalidBundleError when a byte differs; what was written until then is to be thrown away.
 */
export async function unpack(
  chunks: AsyncIterable<Uint8Array>,
  digest: string | undefined,
  open: (file: BundleFile) => Promise<FileSink>,
): Promise<{ readonly manifest: string; readonly files: readonly BundleFile[] }> {
  const taker = new Taker(chunks);
  const head = await taker.exactly(8);
  const size = head.readUInt32LE(4);
  if (head.toString('latin1', 0, 4) !== packMagic || size > manifestBytesMax)
    throw new InvalidBundleError('it does not begin as one');
  const manifest = (await taker.exactly(size)).toString('utf8');
  if (digest !== undefined && sha256(manifest) !== digest) throw new InvalidBundleError('its manifest is another');
  const files = parseManifest(manifest);
  for (const file of files) await unpackFile(taker, file, await open(file));
  if (!(await taker.over())) throw new InvalidBundleError('it has more bytes than its manifest says');
  return { manifest, files };
}

async function unpackFile(taker: Taker, file: BundleFile, sink: FileSink): Promise<void> {
  const hash = createHash('sha256');
  try {
    for (let left = file.bytes; left > 0;) {
      const piece = await taker.some(Math.min(left, limits.pageBytesMax));
      hash.update(piece);
      await sink.write(piece);
      left -= piece.length;
    }
  } finally {
    await sink.close();
  }
  if (hash.digest('hex') !== file.digest) throw new InvalidBundleError(`${file.path} has other bytes than it should`);
}

/** The files of a pack that somebody sent. @throws InvalidBundleError. */
export async function readPack(bytes: Uint8Array): Promise<GivenFile[]> {
  const given: GivenFile[] = [];
  await unpack(once(bytes), undefined, (file) => {
    const pieces: Uint8Array[] = [];
    const close = (): Promise<void> => {
      given.push({ path: file.path, executable: file.executable, data: Buffer.concat(pieces) });
      return Promise.resolve();
    };
    return Promise.resolve({ write: (piece) => Promise.resolve(pieces.push(piece)), close });
  });
  return given;
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void> {
  yield await Promise.resolve(bytes);
}
