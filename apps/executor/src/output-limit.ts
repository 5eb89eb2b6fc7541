/** So many lines, of so many bytes. */
export interface Fitting {
  readonly items: number;
  readonly bytes: number;
}
const nothing: Fitting = { items: 0, bytes: 0 };

/** How much of a part's output its job takes; what comes after the first line that does not fit is dropped. */
export class OutputLimit {
  #bytes = 0;
  #over = false;

  constructor(
    private readonly bytesMax: number | undefined,
    /** Told once, when something does not fit. */
    private readonly reached: () => void,
  ) {}

  get over(): boolean {
    return this.#over;
  }

  /** Of `items` lines, those that are taken. */
  lines(items: number, lines: Uint8Array): Fitting {
    const wasOver = this.#over;
    if (this.fits(lines.length)) return { items, bytes: lines.length };
    return wasOver ? nothing : firstLines(lines, (this.bytesMax ?? 0) - this.#bytes);
  }

  /** Whether something that cannot be divided is taken. */
  fits(bytes: number): boolean {
    if (this.bytesMax === undefined) return true;
    if (this.#over) return false;
    if (this.#bytes + bytes <= this.bytesMax) {
      this.#bytes += bytes;
      return true;
    }
    this.#over = true;
    this.reached();
    return false;
  }
}

function firstLines(lines: Uint8Array, room: number): Fitting {
  let fitting = nothing;
  for (let end = lines.indexOf(10) + 1; end > 0 && end <= room; end = lines.indexOf(10, end) + 1)
    fitting = { items: fitting.items + 1, bytes: end };
  return fitting;
}
