import { limits } from '@das/contracts';
import type { Clock } from '@das/kernel';

/** Warnings passed on per second; what comes beyond stays in the service's own log. */
const relayedPerSecondMax = 10;

/** Passes a service's warnings and errors on to the cluster (Telemetry.Log), once it is connected and not too many. */
export class WarningRelay {
  #tell: ((level: 'warn' | 'error', message: string) => void) | undefined;
  #clock: Clock | undefined;
  #second = 0;
  #passed = 0;

  open(clock: Clock, tell: (level: 'warn' | 'error', message: string) => void): void {
    this.#clock = clock;
    this.#tell = tell;
  }

  pass(level: 'warn' | 'error', message: string): void {
    if (this.#tell === undefined || this.#clock === undefined) return;
    const second = Math.floor(this.#clock.monotonic() / 1000);
    if (second !== this.#second) this.#passed = 0;
    this.#second = second;
    this.#passed += 1;
    if (this.#passed <= relayedPerSecondMax) this.#tell(level, message.slice(0, limits.messageChars));
  }
}
