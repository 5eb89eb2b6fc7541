/** Requests remembered while they run; beyond it a repeated one runs again, which handlers bear. */
export const joinableMax = 4096;

/** A repeated request joins the one with its id that still runs, and gets the same outcome. */
export class RunningRequests<T> {
  readonly #running = new Map<string, Promise<T>>();

  constructor(private readonly limit: number = joinableMax) {}

  run(id: string | undefined, act: () => Promise<T>): Promise<T> {
    if (id === undefined) return act();
    const earlier = this.#running.get(id);
    if (earlier !== undefined) return earlier;
    const outcome = act();
    if (this.#running.size >= this.limit) return outcome;
    this.#running.set(id, outcome);
    const forget = (): void => void this.#running.delete(id);
    outcome.then(forget, forget);
    return outcome;
  }
}
