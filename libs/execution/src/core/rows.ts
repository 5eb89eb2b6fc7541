import { type OutputKind, type OutputRow, limits } from '@das/contracts';

/** A row with its bytes, not joined yet. */
export interface FilledRow {
  readonly row: OutputRow;
  readonly chunks: readonly Uint8Array[];
}

/** Bytes of one row, unless a single result needs more; several rows fit a message. */
export const rowBytes = 512 * 1024;

/** Turns what a worker tells into rows. `take`: the rows that are complete; `finish`: all that is left. */
export interface Rows {
  take(): FilledRow[];
  finish(): FilledRow[];
}

/** Rows of `map`: whole items; an item's result that is larger than a page gets several rows of its own, with growing `seq`. */
export class MapRows implements Rows {
  #ready: FilledRow[] = [];
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  #from: number;
  #to: number;

  constructor(from: number) {
    this.#from = this.#to = from;
  }

  /** Results of the next `items` items. */
  add(items: number, lines: Uint8Array): void {
    if (this.#bytes + lines.length > rowBytes) this.#cut();
    this.#chunks.push(lines);
    this.#bytes += lines.length;
    this.#to += items;
  }

  /** The next item failed: no row spans it. */
  skip(): void {
    this.#cut();
    this.#from = this.#to = this.#to + 1;
  }

  take(): FilledRow[] {
    const ready = this.#ready;
    this.#ready = [];
    return ready;
  }

  finish(): FilledRow[] {
    this.#cut();
    return this.take();
  }

  #cut(): void {
    const place = { kind: 'map' as const, bucket: 0, from: this.#from, to: this.#to };
    this.#ready.push(...paged(place, this.#chunks, 0));
    this.#chunks = [];
    this.#bytes = 0;
    this.#from = this.#to;
  }
}

/** Rows of `map` with `reduce`: one per bucket for a run of items without a failed one. */
export class PairRows implements Rows {
  #ready: FilledRow[] = [];
  #buckets = new Map<number, Uint8Array[]>();
  #bytes = 0;
  #from: number;
  #to: number;

  constructor(from: number) {
    this.#from = this.#to = from;
  }

  add(items: number, buckets: ReadonlyArray<{ readonly bucket: number; readonly lines: Uint8Array }>): void {
    this.#to += items;
    for (const { bucket, lines } of buckets) {
      const chunks = this.#buckets.get(bucket);
      if (chunks === undefined) this.#buckets.set(bucket, [lines]);
      else chunks.push(lines);
      this.#bytes += lines.length;
    }
    if (this.#bytes >= rowBytes) this.#cut();
  }

  skip(): void {
    this.#cut();
    this.#from = this.#to = this.#to + 1;
  }

  take(): FilledRow[] {
    const ready = this.#ready;
    this.#ready = [];
    return ready;
  }

  finish(): FilledRow[] {
    this.#cut();
    return this.take();
  }

  #cut(): void {
    const items = { from: this.#from, to: this.#to };
    for (const [bucket, chunks] of [...this.#buckets].sort(([a], [b]) => a - b))
      this.#ready.push(...paged({ kind: 'shuffle', bucket, ...items }, chunks, 0));
    this.#buckets = new Map();
    this.#bytes = 0;
    this.#from = this.#to;
  }
}

/** Rows of a step: numbered by `seq` from 0. */
export class StepRows implements Rows {
  #ready: FilledRow[] = [];
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  #seq = 0;

  constructor(
    private readonly kind: OutputKind,
    private readonly from: number,
  ) {}

  add(lines: Uint8Array): void {
    if (this.#bytes + lines.length > rowBytes) this.#cut();
    this.#chunks.push(lines);
    this.#bytes += lines.length;
  }

  take(): FilledRow[] {
    const ready = this.#ready;
    this.#ready = [];
    return ready;
  }

  finish(): FilledRow[] {
    this.#cut();
    return this.take();
  }

  #cut(): void {
    const rows = paged({ kind: this.kind, bucket: 0, from: this.from, to: this.from + 1 }, this.#chunks, this.#seq);
    this.#ready.push(...rows);
    this.#seq += rows.length;
    this.#chunks = [];
    this.#bytes = 0;
  }
}

/** One row, or several where a page would not hold it. Nothing for no bytes. */
function paged(place: Omit<OutputRow, 'seq' | 'bytes'>, chunks: readonly Uint8Array[], firstSeq: number): FilledRow[] {
  const rows: FilledRow[] = [];
  let open: Uint8Array[] = [];
  let bytes = 0;
  const close = (): void => {
    if (bytes > 0) rows.push({ row: { ...place, seq: firstSeq + rows.length, bytes }, chunks: open });
    open = [];
    bytes = 0;
  };
  for (const chunk of chunks) {
    for (let at = 0; at < chunk.length;) {
      const piece = chunk.subarray(at, at + limits.pageBytesMax - bytes);
      open.push(piece);
      bytes += piece.length;
      at += piece.length;
      if (bytes === limits.pageBytesMax) close();
    }
  }
  close();
  return rows;
}
