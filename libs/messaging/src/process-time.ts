import { type Cancel, type Clock, durationMs, epochMs } from '@das/kernel';
import { clearTimeout as clear, setTimeout as after } from 'node:timers';

/**
 * Time for adapters that were given no clock: like the NATS client, which keeps time by itself, they then use the process's.
 * (The platform's clock is out of reach: the platform stands on this library.)
 */
export const processTime: Clock = {
  now: () => epochMs(performance.timeOrigin + performance.now()),
  monotonic: () => durationMs(performance.now()),
  timer(ms: number, fire: () => void): Cancel {
    const timer = after(fire, ms);
    return () => clear(timer);
  },
  every(ms: number, fire: () => void): Cancel {
    let cancel: Cancel = () => undefined;
    const again = (): void => {
      cancel = processTime.timer(ms, () => {
        again();
        fire();
      });
    };
    again();
    return () => cancel();
  },
};
