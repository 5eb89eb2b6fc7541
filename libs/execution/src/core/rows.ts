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

/** What all have in common: rows that are complete wait until they are taken. */
abstract class Filling implements Rows {
  #ready: FilledRow[] = [];

  take(): FilledRow[] {
    const ready = this.#ready;
    this.#ready = [];
    return ready;
  }

  finish(): FilledRow[] {
    this.cut();
    return this.take();
  }

  protected complete(rows: readonly FilledRow[]): void {
    this.#ready.push(...rows);
  }

  /** Completes what is open. */
  protected abstract cut(): void;
}

type Items = Pick<OutputRow, 'from' | 'to'>;

/** Rows of items: of a run of them without a failed one. */
abstract class ItemRows extends Filling {
  #from: number;
  #to: number;

  constructor(from: number) {
    super();
    this.#from = this.#to = from;
  }

  /** The next item failed: no row spans it. */
  skip(): void {
    this.cut();
    this.#from = this.#to = this.#to + 1;
  }

  protected grow(items: number): void {
    this.#to += items;
  }

  protected override cut(): void {
    this.complete(this.drain({ from: this.#from, to: this.#to }));
    this.#from = this.#to;
  }

  /** The rows of the open items; forgets their bytes. */
  protected abstract drain(items: Items): FilledRow[];
}

/** Rows of `map`: whole items; an item's result that is larger than a page gets several rows of its own, with growing `seq`. */
export class MapRows extends ItemRows {
  readonly #open = new OpenRow();

  /** Results of the next `items` items. */
  add(items: number, lines: Uint8Array): void {
    if (!this.#open.fits(lines)) this.cut();
    this.#open.add(lines);
    this.grow(items);
  }

  protected override drain(items: Items): FilledRow[] {
    return paged({ kind: 'map', bucket: 0, ...items }, this.#open.drain(), 0);
  }
}

/** Rows of `map` with `reduce`: one per bucket. */
export class PairRows extends ItemRows {
  #buckets = new Map<number, Uint8Array[]>();
  #bytes = 0;

  /** Pairs of the next `items` items. */
  add(items: number, buckets: ReadonlyArray<{ readonly bucket: number; readonly lines: Uint8Array }>): void {
    this.grow(items);
    for (const { bucket, lines } of buckets) {
      const chunks = this.#buckets.get(bucket);
      if (chunks === undefined) this.#buckets.set(bucket, [lines]);
      else chunks.push(lines);
      this.#bytes += lines.length;
    }
    if (this.#bytes >= rowBytes) this.cut();
  }

  protected override drain(items: Items): FilledRow[] {
    const buckets = [...this.#buckets].sort(([a], [b]) => a - b);
    this.#buckets = new Map();
    this.#bytes = 0;
    return buckets.flatMap(([bucket, chunks]) => paged({ kind: 'shuffle', bucket, ...items }, chunks, 0));
  }
}

/** Rows of a step: numbered by `seq` from 0. */
export class StepRows extends Filling {
  readonly #open = new OpenRow();
  #seq = 0;

  constructor(
    private readonly kind: OutputKind,
    private readonly from: number,
  ) {
    super();
  }

  add(lines: Uint8Array): void {
    if (!this.#open.fits(lines)) this.cut();
    this.#open.add(lines);
  }

  protected override cut(): void {
    const place = { kind: this.kind, bucket: 0, from: this.from, to: this.from + 1 };
    const rows = paged(place, this.#open.drain(), this.#seq);
    this.#seq += rows.length;
    this.complete(rows);
  }
}

/** Bytes on their way into one row. */
class OpenRow {
  #chunks: Uint8Array[] = [];
  #bytes = 0;

  fits(lines: Uint8Array): boolean {
    return this.#bytes + lines.length <= rowBytes;
  }

  add(lines: Uint8Array): void {
    this.#chunks.push(lines);
    this.#bytes += lines.length;
  }

  drain(): Uint8Array[] {
    const chunks = this.#chunks;
    this.#chunks = [];
    this.#bytes = 0;
    return chunks;
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
