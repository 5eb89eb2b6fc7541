import { type Cancel, type Clock, messageOf } from '@das/kernel';

/** How often old jobs are looked for (ms); each round deletes a bounded number. */
const roundMs = 60_000;

type Log = {
  info(fields: Record<string, unknown>, message: string): void;
  warn(fields: Record<string, unknown>, message: string): void;
};

/** Deletes ended jobs when they are older than the retention, and uploads that broke off. */
export class RetentionTimer {
  #running: Promise<void> | undefined;
  #cancel: Cancel | undefined;

  constructor(
    private readonly store: { deleteOld(keptMs: number): Promise<readonly string[]> },
    private readonly keptMs: number,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  start(): void {
    this.#cancel = this.clock.every(roundMs, () => void (this.#running ??= this.#round()));
  }

  async stop(): Promise<void> {
    this.#cancel?.();
    await this.#running;
  }

  async #round(): Promise<void> {
    try {
      const deleted = await this.store.deleteOld(this.keptMs);
      if (deleted.length > 0) this.log.info({ jobs: deleted.length }, 'deleted old jobs');
    } catch (thrown) {
      this.log.warn({ err: messageOf(thrown) }, 'old jobs could not be deleted; tried again in a minute');
    } finally {
      this.#running = undefined;
    }
  }
}
