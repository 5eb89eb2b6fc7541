import { type Assignment, type AttemptFinished, attemptFinished } from '@das/contracts';
import type { AttemptKey } from '@das/execution';
import type { ServiceContext } from '@das/platform';
import type { Told } from './commit.js';

/** Ends that were told lately, to be told again when a leader asks for what is over. */
const endsKept = 1_024;
/** A leader keeps so much of why an attempt was given back (characters). */
const whyCharsMax = 200;

/** Tells the leader how attempts ended. */
export class Ends {
  readonly #told = new Map<AttemptKey, AttemptFinished>();

  constructor(private readonly context: ServiceContext) {}

  tell(key: AttemptKey, { job, generation, part, attempt, kind }: Assignment, told: Told): void {
    const why = told.why === undefined ? {} : { why: told.why.slice(0, whyCharsMax) };
    const finished = { attempt: { job, generation, part, attempt }, kind, node: this.context.node, ...told, ...why };
    this.#told.set(key, finished);
    for (const oldest of this.#told.keys()) {
      if (this.#told.size <= endsKept) break;
      this.#told.delete(oldest);
    }
    this.context.bus.tell(attemptFinished, finished);
  }

  repeat(key: AttemptKey): void {
    const finished = this.#told.get(key);
    if (finished !== undefined) this.context.bus.tell(attemptFinished, finished);
  }
}
