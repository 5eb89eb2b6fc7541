/** Counts what decoding costs, so that a hostile input's price is bounded by a number and not by a clock. */
export class Work {
  /** Values begun and bytes of texts and byte fields read. */
  steps = 0;
  /** Bytes that decompression wrote, those of inputs that failed included. */
  inflatedBytes = 0;
}
