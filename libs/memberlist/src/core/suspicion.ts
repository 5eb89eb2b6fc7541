import { remainingSuspicion } from './timing.js';

/** What a suspicion begins with; times in ms. */
export interface SuspicionTerms {
  readonly from: string;
  /** Confirmations that bring the timeout down to its minimum; below 1: it is there at once. */
  readonly k: number;
  readonly minMs: number;
  readonly maxMs: number;
  readonly startedAt: number;
}

/** One member under suspicion: when it will be declared dead unless it refutes. */
export class Suspicion {
  /** Whether we tell the accused again and again. */
  reminds = false;
  readonly #accusers: Set<string>;
  readonly #terms: SuspicionTerms;
  #deadline: number;

  constructor(terms: SuspicionTerms) {
    this.#terms = terms;
    this.#accusers = new Set([terms.from]);
    this.#deadline = terms.startedAt + (terms.k < 1 ? terms.minMs : terms.maxMs);
  }

  /** Time at which the member is declared dead. */
  get deadline(): number {
    return this.#deadline;
  }

  /** Accusations by others than the first accuser. */
  get confirmations(): number {
    return this.#accusers.size - 1;
  }

  /** An independent accusation shortens the wait. False when it is no news: the same accuser, or enough have confirmed. */
  confirm(from: string): boolean {
    const { k, minMs, maxMs, startedAt } = this.#terms;
    if (this.confirmations >= k || this.#accusers.has(from)) return false;
    this.#accusers.add(from);
    this.#deadline = startedAt + remainingSuspicion(this.confirmations, k, 0, minMs, maxMs);
    return true;
  }
}
