/** Counts the output that waits in memory for the store. */
export class HoldLedger {
  #bytes = 0;
  #full = false;

  constructor(
    readonly bytesMax: number,
    private readonly onChange: (full: boolean) => void,
  ) {}

  get full(): boolean {
    return this.#full;
  }
  get bytes(): number {
    return this.#bytes;
  }

  /** Negative: it was stored, or is no longer wanted. */
  add(bytes: number): void {
    this.#bytes += bytes;
    const full = this.#bytes > this.bytesMax;
    if (full === this.#full) return;
    this.#full = full;
    this.onChange(full);
  }
}
