import { type Assignment, Fault, type OutputKind, type OutputRow, readItems, readOutput } from '@das/contracts';
import type { Page, Pages } from '@das/execution';
import type { StoreClient } from './store-client.js';

/** The items of a map part, page by page; the first can be asked for ahead. */
export class ItemPages {
  #at: number;
  #first: Promise<Page | undefined> | undefined;

  constructor(
    private readonly store: StoreClient,
    private readonly part: Assignment,
    private readonly signal: AbortSignal,
  ) {
    this.#at = part.from;
    if (part.lines === undefined) return;
    this.#first = Promise.resolve({ count: part.to - part.from, source: 0, raw: Buffer.from(part.lines) });
    this.#at = part.to;
  }

  /** Asks for the first page. Its failure is told to who takes it. */
  ahead(): void {
    if (this.#first !== undefined) return;
    this.#first = this.#read();
    this.#first.catch(() => undefined);
  }

  /** Resolves when the first page is there. @throws as {@link next}. */
  async ready(): Promise<void> {
    this.ahead();
    await this.#first;
  }

  /** @throws Fault when the store does not have the items (any more). */
  readonly next: Pages = () => {
    const page = this.#first ?? this.#read();
    this.#first = undefined;
    return page;
  };

  async #read(): Promise<Page | undefined> {
    const { job, generation, to } = this.part;
    const from = this.#at;
    if (from >= to) return undefined;
    const { body, raw } = await this.store.ask(readItems, { job, generation, from, to }, this.signal);
    if (body.to <= from) throw new Fault('NOT_FOUND', `items ${from} to ${to - 1} are not stored`);
    this.#at = body.to;
    return { count: body.to - from, source: 0, raw };
  }
}

/** Committed output as pages; `source` is the bucket where `kind` is reduce, else 0. */
export function outputPages(
  store: StoreClient,
  part: Assignment,
  wanted: { readonly kind: OutputKind; readonly bucket: number },
  signal: AbortSignal,
): Pages {
  const { job, generation } = part;
  const ready: Page[] = [];
  let after: { from: number; seq: number } | undefined;
  let more = true;
  const read = async (): Promise<void> => {
    const { body, raw } = await store.ask(
      readOutput,
      { job, ...wanted, skipFailed: true, ...(after === undefined ? {} : { after }) },
      signal,
    );
    if (body.generation !== generation) throw new Fault('NOT_FOUND', `generation ${generation} of the job is over`);
    const last = body.rows.at(-1);
    more = body.more && last !== undefined;
    after = last === undefined ? after : { from: last.from, seq: last.seq };
    ready.push(...pagesOf(body.rows, raw, wanted.kind === 'reduce'));
  };
  return async () => {
    while (ready.length === 0 && more) await read();
    return ready.shift();
  };
}

/** Rows of one source together. */
function pagesOf(rows: readonly OutputRow[], raw: Uint8Array, byBucket: boolean): Page[] {
  if (!byBucket) return raw.length === 0 ? [] : [{ count: 0, source: 0, raw }];
  const pages: Page[] = [];
  let at = 0;
  for (const { from, bytes } of rows) {
    pages.push({ count: 0, source: from, raw: raw.subarray(at, at + bytes) });
    at += bytes;
  }
  return pages;
}
