import { ExitError, exitCodes } from '../errors.js';

/** One run of the code as it was. */
export interface Round {
  /** Settles when it is over; what it throws was its affair. */
  readonly over: Promise<void>;
  /** As Ctrl-C: the first time cancels its job, then it leaves. */
  interrupt(): void;
}

export interface SyncTools {
  /** Starts a run of the files as they are. */
  readonly start: () => Round;
  /** Resolves when the files have changed; `false`: aborted. */
  readonly changed: (signal: AbortSignal) => Promise<boolean>;
  /** Tells why a round ended as it did. @throws what ends all rounds. */
  readonly failed: (thrown: unknown) => void;
  readonly say: (line: string) => void;
}

/** Runs again whenever the files change, and cancels what still runs of them first. Ends by an interrupt. */
export class SyncLoop {
  readonly #ending = new AbortController();
  #round: Round | undefined;

  constructor(private readonly tools: SyncTools) {}

  #leave: (left: Error) => void = () => undefined;

  /** Ctrl-C; once more leaves at once, whatever is still being printed. */
  press(): void {
    if (this.#ending.signal.aborted) this.#leave(new ExitError(exitCodes.cancelled));
    this.#ending.abort();
    this.#round?.interrupt();
  }

  /** @throws ExitError 130 after an interrupt; what {@link SyncTools.failed} throws. */
  async run(): Promise<never> {
    const { signal } = this.#ending;
    const left = new Promise<never>((_, reject) => (this.#leave = reject));
    left.catch(() => undefined);
    while (!signal.aborted) await Promise.race([this.#once(signal), left]);
    throw new ExitError(exitCodes.cancelled);
  }

  async #once(ending: AbortSignal): Promise<void> {
    const round = this.tools.start();
    this.#round = round;
    const done = new AbortController();
    const watching = this.tools.changed(AbortSignal.any([ending, done.signal]));
    const over = round.over.catch(this.tools.failed);
    try {
      const changed = await Promise.race([watching, over.then(() => undefined)]);
      if (changed === true) {
        this.tools.say('--- changed; the run of the former files is cancelled');
        round.interrupt();
      }
      await over;
      this.#round = undefined;
      if (changed === undefined && !ending.aborted) this.tools.say('--- waiting for changes (Ctrl-C ends)');
      if (await watching) this.tools.say('--- running again');
    } finally {
      done.abort();
    }
  }
}
