const firstWaitMs = 5;
const longestWaitMs = 1_000;

/**
 * Tells of errors that come in bursts, fewer and fewer of them: after each it is silent for 5 ms, doubled each time up to 1 s.
 * A host without free file descriptors fails to accept thousands of streams a second; the kernel goes on by itself, only the
 * words about it have to be bounded.
 */
export class ErrorThrottle {
  #waitMs = 0;
  #silentUntil = -Infinity;
  #swallowed = 0;

  /** `now` in ms of any clock that does not run backwards. */
  constructor(private readonly now: () => number) {}

  /** What is to be told of an error, or nothing. */
  admit(message: string): string | undefined {
    const now = this.now();
    if (now < this.#silentUntil) {
      this.#swallowed++;
      return undefined;
    }
    this.#waitMs = this.#waitMs === 0 ? firstWaitMs : Math.min(this.#waitMs * 2, longestWaitMs);
    this.#silentUntil = now + this.#waitMs;
    const more = this.#swallowed === 0 ? '' : ` (and ${this.#swallowed} times since the last word)`;
    this.#swallowed = 0;
    return message + more;
  }

  /** It worked again: the next error is told at once. */
  reset(): void {
    this.#waitMs = 0;
    this.#silentUntil = -Infinity;
  }
}
