/** One line per code and peer in this time (ms). */
export const lineEveryMs = 10_000;
/** Codes and peers told apart at once; with more, the oldest may be told again early. */
export const linesMax = 1_024;

/** Decides which notes become log lines: the first, and then one in ten seconds that says how many were left out. */
export class NoteLimiter {
  readonly #lines = new Map<string, { readonly at: number; suppressed: number }>();

  /** How many like this were left out since the last line; nothing when this one is to be left out too. */
  take(code: string, peer: string, now: number): number | undefined {
    const key = `${code} ${peer}`;
    const last = this.#lines.get(key);
    if (last !== undefined && now - last.at < lineEveryMs) {
      last.suppressed += 1;
      return undefined;
    }
    this.#lines.delete(key);
    this.#lines.set(key, { at: now, suppressed: 0 });
    const oldest = this.#lines.keys().next();
    if (this.#lines.size > linesMax && !oldest.done) this.#lines.delete(oldest.value);
    return last?.suppressed ?? 0;
  }
}
