import type { Clock } from '@das/kernel';
import { paused } from '@das/platform/basics';

/** Between two looks at the files (ms); a look that takes long is followed by a longer rest, so that looking costs a tenth of a core at most. */
const lookMs = 500;
const restShare = 10;

/** Sees changes of files by looking at them now and then: the same on every file system, also where none are announced. */
export class Changes {
  #seen: string | undefined;

  /** `look` tells how the files are now: a text that any change changes. */
  constructor(
    private readonly look: () => Promise<string>,
    private readonly clock: Clock,
  ) {}

  /** Takes the files as they are now for known. */
  async settle(): Promise<void> {
    this.#seen = await this.look();
  }

  /** Resolves once they are other than known, and two looks found them alike: whoever writes them may be in the middle of it. `false`: aborted. */
  async next(signal: AbortSignal): Promise<boolean> {
    let last = this.#seen;
    while (!signal.aborted) {
      const began = this.clock.monotonic();
      const now = await this.look();
      if (now !== this.#seen && now === last) {
        this.#seen = now;
        return true;
      }
      last = now;
      await paused(this.clock, Math.max(lookMs, (this.clock.monotonic() - began) * restShare), signal);
    }
    return false;
  }
}
