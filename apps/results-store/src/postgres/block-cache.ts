/** Unpacked blocks kept (bytes): the blocks of a few jobs that are being cut at once. */
const cacheBytesMax = 16 * 1024 * 1024;

/** Keeps what was used last, bounded by bytes. */
export class BlockCache {
  readonly #entries = new Map<string, Uint8Array>();
  #bytes = 0;

  constructor(private readonly bytesMax = cacheBytesMax) {}

  get(name: string): Uint8Array | undefined {
    const bytes = this.#entries.get(name);
    if (!bytes) return undefined;
    this.#entries.delete(name);
    this.#entries.set(name, bytes);
    return bytes;
  }

  /** Hands the bytes back. What is larger than the whole cache is not kept. */
  put(name: string, bytes: Uint8Array): Uint8Array {
    this.#drop(name);
    if (bytes.length > this.bytesMax) return bytes;
    this.#entries.set(name, bytes);
    this.#bytes += bytes.length;
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.bytesMax) break;
      this.#drop(oldest);
    }
    return bytes;
  }

  #drop(name: string): void {
    this.#bytes -= this.#entries.get(name)?.length ?? 0;
    this.#entries.delete(name);
  }
}
