import { performance } from 'node:perf_hooks';
import type { Cancel, Clock } from '../ports/clock.js';

/** Longest delay of a timer; a longer one is set in parts. */
const delayMaxMs = 0x7fff_ffff;
/** A poll of libuv reads up to 32 datagrams; this many polls empty a receive buffer of 2 MiB. */
const drainRoundsMax = 512;

/** The process's monotonic clock. */
export class SystemClock implements Clock {
  /** `arrivals` counts what came in so far: draining ends when it stands still. */
  constructor(private readonly arrivals: () => number) {}

  now(): number {
    return performance.now();
  }

  at(time: number, fire: () => void): Cancel {
    let timer: NodeJS.Timeout;
    const wait = (): void => {
      const left = time - this.now();
      // Rounded up: a timer that fires early would only be set again.
      timer = setTimeout(left > delayMaxMs ? wait : fire, Math.min(Math.max(0, Math.ceil(left)), delayMaxMs));
    };
    wait();
    return () => clearTimeout(timer);
  }

  drain(done: () => void): void {
    let seen = -1;
    let rounds = 0;
    const poll = (): void => {
      const arrived = this.arrivals();
      if (arrived === seen || rounds++ >= drainRoundsMax) return done();
      seen = arrived;
      // Immediates run after the poll phase: whatever the kernel holds for us has been read by then. Two, as we may be in one ourselves.
      setImmediate(() => setImmediate(poll));
    };
    poll();
  }
}
