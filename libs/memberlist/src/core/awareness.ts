/** How much a node trusts itself: 0 is healthy. Every timeout is stretched by score + 1 (Lifeguard §IV-A, LHA-Probe). */
export class Awareness {
  #score = 0;

  /** The score stays below `maxMultiplier`. */
  constructor(private readonly maxMultiplier: number) {}

  /** From 0 to `maxMultiplier` − 1. */
  get score(): number {
    return this.#score;
  }

  /** Adds to the score, within its bounds. */
  apply(delta: number): void {
    this.#score = Math.min(Math.max(this.#score + delta, 0), this.maxMultiplier - 1);
  }

  /** A timeout as long as our health asks for; same unit. */
  scale(timeout: number): number {
    return timeout * (this.#score + 1);
  }
}
