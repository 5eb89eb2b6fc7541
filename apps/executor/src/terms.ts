import { currentTerm } from '@das/contracts';
import { messageOf } from '@das/kernel';
import type { ServiceContext } from '@das/platform';
import type { TermFile } from './term-file.js';

/** A store that answers with a lower term than was seen is asked about at most this often (ms). */
const termReadMs = 2_000;

/** Keeps the highest term over a restart, and asks the store whether it still counts. */
export class Terms {
  #askedMs = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly context: ServiceContext,
    private readonly file: TermFile,
  ) {}

  read(): number {
    return this.file.read();
  }

  keep(term: number): void {
    try {
      this.file.write(term);
    } catch (error) {
      this.context.log.warn({ term, err: error }, `the highest term could not be kept: ${messageOf(error)}`);
    }
  }

  /** A refused leader may be old, or the store new: then terms start again. */
  ask(heard: (term: number) => void): void {
    const now = this.context.clock.monotonic();
    if (now - this.#askedMs < termReadMs) return;
    this.#askedMs = now;
    this.context.bus.call(currentTerm, {}).then(
      ({ body }) => heard(body.term),
      () => undefined,
    );
  }
}
