import type { Cancel } from '@das/kernel';

/** Who wants to know whether a connection is up; told of changes only. */
export class ConnectionListeners {
  readonly #listeners = new Set<(connected: boolean) => void>();

  constructor(public connected: boolean) {}

  add(listener: (connected: boolean) => void): Cancel {
    // A wrapper of its own, so that the same function given twice is told twice and cancelled singly.
    const own = (connected: boolean): void => listener(connected);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  set(connected: boolean): void {
    if (this.connected === connected) return;
    this.connected = connected;
    for (const listener of [...this.#listeners]) listener(connected);
  }

  /** Closed on purpose: down, and nobody needs to be told. */
  end(): void {
    this.#listeners.clear();
    this.connected = false;
  }
}
