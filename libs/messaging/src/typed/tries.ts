import type { Fault } from '@das/contracts';
import type { Cancel, Clock } from '@das/kernel';
import type { BusMessage } from '../ports/message-bus.js';

/** What one try of a call came to; `reply` counts when there is no fault. */
export interface Outcome {
  readonly reply: BusMessage;
  readonly fault: Fault | undefined;
}

/**
 * The tries of one call. Each is listened to until the call's deadline, for an answer that comes late is as good as the next one's: on a line that
 * loses packets TCP may deliver every answer, each after our patience for it. Faults count of the newest try only: it was made because another
 * instance may do better.
 */
export class Tries {
  #made = 0;
  readonly #arrived: Outcome[] = [];
  #wake: Cancel = () => undefined;

  constructor(private readonly clock: Clock) {}

  /** `outcome` never rejects. */
  add(outcome: Promise<Outcome>): void {
    const number = (this.#made += 1);
    void outcome.then((arrived) => {
      if (arrived.fault !== undefined && number < this.#made) return;
      this.#arrived.push(arrived);
      this.#wake();
    });
  }

  /** What comes next of any try; undefined when nothing does within `patienceMs`. */
  async next(patienceMs: number): Promise<Outcome | undefined> {
    if (this.#arrived.length === 0) {
      await new Promise<void>((resolve) => {
        const cancel = this.clock.timer(patienceMs, resolve);
        this.#wake = () => (cancel(), resolve());
      });
      this.#wake = () => undefined;
    }
    return this.#arrived.shift();
  }
}
