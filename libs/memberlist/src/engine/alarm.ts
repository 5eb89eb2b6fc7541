import type { Cancel, Clock } from '../ports/clock.js';

/** Whom an {@link Alarm} wakes. */
export interface Sleeper {
  /** Time has come. */
  wake(): void;
  /** The call came this late: our process stood still. `wake` follows once the inbox is read. */
  paused(lateMs: number): void;
}

/** The one timer of a node: set to the time at which it wants to be woken, and honest about being late. */
export class Alarm {
  #cancel: Cancel = () => undefined;
  #armedFor: number | undefined;
  #draining = false;

  /** `lateAfterMs`: a call that comes later than this is a pause. */
  constructor(
    private readonly clock: Clock,
    private readonly lateAfterMs: number,
    private readonly sleeper: Sleeper,
  ) {}

  /** Sets it to another time; nothing when it is never to ring. */
  arm(at: number | undefined): void {
    if (this.#draining || at === undefined || at === this.#armedFor) return;
    this.#cancel();
    this.#armedFor = at;
    this.#cancel = this.clock.at(at, () => this.#ring(at));
  }

  cancel(): void {
    this.#cancel();
  }

  /** A late call means that our process stood still. The answers may be waiting: they are read before anything is concluded. */
  #ring(planned: number): void {
    this.#armedFor = undefined;
    const lateMs = this.clock.now() - planned;
    if (lateMs <= this.lateAfterMs) {
      this.sleeper.wake();
      return;
    }
    this.#draining = true;
    this.sleeper.paused(lateMs);
    this.clock.drain(() => {
      this.#draining = false;
      this.sleeper.wake();
    });
  }
}
