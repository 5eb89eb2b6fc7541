/**
 * When members were last heard themselves, by a ping or by an answer: as good a sign of life as the answer that a probe would ask for.
 * A member of the table is heard of at most once; who is forgotten there is forgotten here.
 */
export class Evidence {
  readonly #last = new Map<string, number>();

  heard(name: string, now: number): void {
    this.#last.set(name, now);
  }

  /** Time of the last sign of life; minus infinity without one. */
  last(name: string): number {
    return this.#last.get(name) ?? Number.NEGATIVE_INFINITY;
  }

  forget(name: string): void {
    this.#last.delete(name);
  }
}
