import { type Cancel, type Clock, type DurationMs, type EpochMs, durationMs, epochMs } from '@das/kernel';

/** Longest wait of the runtime's own timer; longer ones are waited in pieces. */
const timerMaxMs = 2 ** 31 - 1;

/** The clock of this machine. `now` follows the system's clock and may jump; `monotonic` never does. Its timers keep the process alive. */
export class SystemClock implements Clock {
  now(): EpochMs {
    return epochMs(Date.now());
  }

  monotonic(): DurationMs {
    return durationMs(performance.now());
  }

  timer(after: number, fire: () => void): Cancel {
    const due = performance.now() + Math.max(0, after);
    let timer: NodeJS.Timeout;
    const wait = (): void => {
      const left = due - performance.now();
      // The runtime rounds down and may be early by a fraction of a millisecond.
      if (left <= 0) fire();
      else timer = setTimeout(wait, Math.min(Math.ceil(left), timerMaxMs));
    };
    timer = setTimeout(wait, Math.min(Math.max(0, Math.ceil(after)), timerMaxMs));
    return () => clearTimeout(timer);
  }

  every(every: number, fire: () => void): Cancel {
    let cancel: Cancel;
    const again = (): void => {
      cancel = this.timer(every, () => {
        again();
        fire();
      });
    };
    again();
    return () => cancel();
  }
}
