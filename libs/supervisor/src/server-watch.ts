import type { Cancel, Clock } from '@das/kernel';
import { type Backoff, afterDeath, noFailures } from './core/backoff.js';
import { identify } from './process-identity.js';

const lookEveryMs = 1_000;

/** A server of ours: NATS or Postgres. */
export interface Server {
  /** With its secret, if the URL holds one; never log it. */
  readonly url: string;
  readonly port: number;
  /** Changes with a restart; `undefined` while it is down. */
  readonly pid: number | undefined;
  stop(): Promise<void>;
  kill(): Promise<void>;
  restart(): Promise<void>;
}

export interface WatchOptions {
  readonly clock: Clock;
  /** Start it again when it dies by itself. */
  readonly revive: boolean;
  /** Its pid changed. */
  readonly changed: () => void;
  readonly note: (message: string) => void;
}

/** A server that is started again when it dies by itself, and not when it was killed through this handle. */
export class WatchedServer implements Server {
  #wanted = true;
  #busy = false;
  #stopped = false;
  #backoff: Backoff = noFailures;
  #startedAt: number;
  #notBefore = 0;
  readonly #stopLooking: Cancel;

  constructor(
    readonly name: string,
    private readonly inner: Server,
    private readonly options: WatchOptions,
  ) {
    this.#startedAt = options.clock.monotonic();
    this.#stopLooking = options.revive ? options.clock.every(lookEveryMs, () => void this.#look()) : () => undefined;
  }

  get url(): string {
    return this.inner.url;
  }
  get port(): number {
    return this.inner.port;
  }
  get pid(): number | undefined {
    return this.#wanted ? this.inner.pid : undefined;
  }

  async stop(): Promise<void> {
    this.#wanted = false;
    this.#stopped = true;
    this.#stopLooking();
    await this.inner.stop();
  }
  async kill(): Promise<void> {
    this.#wanted = false;
    await this.inner.kill();
    this.options.changed();
  }
  async restart(): Promise<void> {
    this.#wanted = false;
    await this.inner.restart();
    // Stopped meanwhile: the process that this restart made must not outlive us.
    if (this.#stopped) return this.inner.stop();
    this.#startedAt = this.options.clock.monotonic();
    this.#wanted = true;
    this.options.changed();
  }

  async #look(): Promise<void> {
    const { clock, note } = this.options;
    if (!this.#wanted || this.#busy || (await identify(this.inner.pid ?? 0))) return;
    if (this.#notBefore === 0) {
      const { backoff, pauseMs } = afterDeath(this.#backoff, clock.monotonic() - this.#startedAt);
      this.#backoff = backoff;
      this.#notBefore = clock.monotonic() + pauseMs;
      note(`${this.name} died; starting it again`);
    }
    if (clock.monotonic() < this.#notBefore) return;
    this.#busy = true;
    this.#notBefore = 0;
    await this.restart().catch((thrown: unknown) => {
      this.#wanted = !this.#stopped;
      note(`${this.name} did not start again: ${String(thrown)}`);
    });
    this.#busy = false;
  }
}
