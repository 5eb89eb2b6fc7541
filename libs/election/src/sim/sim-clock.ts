/** One machine's monotonic clock: it starts anywhere, and runs a little too fast or too slow. */
export class SimClock {
  constructor(
    readonly rate: number,
    readonly offset: number,
  ) {}

  mono(worldMs: number): number {
    return this.offset + worldMs * this.rate;
  }
  /** When, in the world's time, this clock shows `mono`. */
  worldAt(mono: number): number {
    return (mono - this.offset) / this.rate;
  }
  /** How much of the world's time passes in some of its own. */
  worldMs(ownMs: number): number {
    return ownMs / this.rate;
  }
}
