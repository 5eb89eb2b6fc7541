import { Fault } from '@das/contracts';

/** Handlers of one subscription that may run at the same time; a request beyond it is refused at once, an announcement dropped. */
export const handlersMax = 8192;

/** Counts running handlers, so that closing can wait for them and overload is refused instead of queued. */
export class RunningHandlers {
  readonly #running = new Set<Promise<unknown>>();

  constructor(private readonly limit: number = handlersMax) {}

  /** @throws Fault SERVICE_UNAVAILABLE when too many run already; `work` was not started. */
  track<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running.size >= this.limit) {
      return Promise.reject(
        new Fault('SERVICE_UNAVAILABLE', `too busy: ${this.limit} requests are being answered`, {
          hint: 'try again later',
        }),
      );
    }
    const running = work();
    this.#running.add(running);
    const done = (): void => void this.#running.delete(running);
    running.then(done, done);
    return running;
  }

  /** Resolves when none runs. */
  async ended(): Promise<void> {
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
  }
}
