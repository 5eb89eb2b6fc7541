import { createHash } from 'node:crypto';
import { Fault, readBlob } from '@das/contracts';
import type { StoreClient } from './store-client.js';

/** Scripts kept in memory (characters); the one used longest ago goes first. */
const charsMax = 16 * 1024 * 1024;

/** Scripts by digest: each is fetched once, whoever waits for it, and verified. */
export class CodeCache {
  readonly #texts = new Map<string, string>();
  readonly #fetching = new Map<string, Promise<string>>();
  #chars = 0;

  /** `signal`: of the service; who asks may stop waiting, the others still want it. */
  constructor(
    private readonly store: StoreClient,
    private readonly signal: AbortSignal,
  ) {}

  /** @throws Fault when the store does not have it, or has other bytes. StoppedError when the service stops. */
  get(digest: string): Promise<string> {
    const known = this.#texts.get(digest);
    if (known !== undefined) {
      this.#texts.delete(digest);
      this.#texts.set(digest, known);
      return Promise.resolve(known);
    }
    const fetching = this.#fetching.get(digest) ?? this.#fetch(digest);
    this.#fetching.set(digest, fetching);
    return fetching;
  }

  async #fetch(digest: string): Promise<string> {
    try {
      const text = await this.#read(digest);
      this.#keep(digest, text);
      return text;
    } finally {
      this.#fetching.delete(digest);
    }
  }

  async #read(digest: string): Promise<string> {
    const pages: Uint8Array[] = [];
    for (let chunk = 0, chunks = 1; chunk < chunks; chunk += 1) {
      const { body, raw } = await this.store.ask(readBlob, { digest, chunk }, this.signal);
      if (!body.found) throw new Fault('NOT_FOUND', `the store does not have the code ${digest.slice(0, 12)}…`);
      chunks = body.chunks;
      pages.push(raw);
    }
    const bytes = Buffer.concat(pages);
    const found = createHash('sha256').update(bytes).digest('hex');
    if (found !== digest)
      throw new Fault('INTERNAL', `the code ${digest.slice(0, 12)}… has the digest ${found.slice(0, 12)}…`);
    return bytes.toString('utf8');
  }

  #keep(digest: string, text: string): void {
    this.#texts.set(digest, text);
    this.#chars += text.length;
    for (const [oldest, old] of this.#texts) {
      if (this.#chars <= charsMax || oldest === digest) return;
      this.#texts.delete(oldest);
      this.#chars -= old.length;
    }
  }
}
