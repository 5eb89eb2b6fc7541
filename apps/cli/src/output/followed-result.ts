const verdictStart = Buffer.from('{"$failed":');
const newline = 0x0a;

/**
 * Hands on a result that is followed, but keeps back a last line that begins as `{"$failed":…}`: once nothing follows it, it may be the
 * node's word that the job did not succeed, which is no result.
 */
export class FollowedResult {
  #kept: Buffer = Buffer.alloc(0);
  #atLineStart = true;

  constructor(private readonly write: (bytes: Uint8Array) => Promise<void>) {}

  /** Whether such a line was the last one so far. */
  get endsInVerdict(): boolean {
    return this.#kept.length > 0;
  }

  async take(bytes: Uint8Array): Promise<void> {
    const all = Buffer.concat([this.#kept, bytes]);
    const cut = this.#verdictAt(all);
    const line = cut === 0 ? this.#atLineStart : all[cut - 1] === newline;
    [this.#kept, this.#atLineStart] = [all.subarray(cut), line];
    if (cut > 0) await this.write(all.subarray(0, cut));
  }

  /** The line kept back was a result after all. */
  async takeKept(): Promise<void> {
    const kept = this.#kept;
    this.#kept = Buffer.alloc(0);
    await this.write(kept);
  }

  /** Where the last line begins if it may be a verdict, else the end. */
  #verdictAt(all: Buffer): number {
    const start = all.subarray(0, -1).lastIndexOf(newline) + 1;
    if (start === 0 && !this.#atLineStart) return all.length;
    const line = all.subarray(start);
    const known = Math.min(line.length, verdictStart.length);
    return line.subarray(0, known).equals(verdictStart.subarray(0, known)) ? start : all.length;
  }
}
