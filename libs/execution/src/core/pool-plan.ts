/** A worker that runs nothing. */
export interface IdleWorker<Id> {
  readonly id: Id;
  /** The job and generation it has run for; undefined: fresh. A bound worker is never used for anything else. */
  readonly binding: string | undefined;
  readonly idleSinceMs: number;
}

/** Bound workers kept when nobody uses them (ms). */
export const boundIdleMs = 10_000;

/** The worker to use: one of the same job, the one used last; else a fresh one, where `fresh` ones will do; else none. */
export function pickWorker<Id>(idle: readonly IdleWorker<Id>[], binding: string, fresh = true): Id | undefined {
  const bound = newestFirst(idle.filter((worker) => worker.binding === binding));
  return (bound[0] ?? (fresh ? idle.find((worker) => worker.binding === undefined) : undefined))?.id;
}

/** Bound workers to end: those idle for too long, and beyond one per slot those not used for longest. */
export function surplusWorkers<Id>(idle: readonly IdleWorker<Id>[], slots: number, nowMs: number): Id[] {
  const bound = newestFirst(idle.filter((worker) => worker.binding !== undefined));
  return bound
    .filter((worker, place) => place >= slots || nowMs - worker.idleSinceMs >= boundIdleMs)
    .map(({ id }) => id);
}

/** Jobs of a language are expected for so long after one came (ms). */
export const expectedMs = 300_000;

/** How many fresh workers stand ready: one per slot while jobs are expected, `atRest` when none has come for a while. */
export const standby = (slots: number, atRest: number, sinceJobMs: number | undefined): number =>
  sinceJobMs !== undefined && sinceJobMs < expectedMs ? slots : Math.min(slots, atRest);

/** How many fresh workers to start, so that as many as are wanted stand ready. */
export const freshWanted = (wanted: number, fresh: number, starting: number): number =>
  Math.max(0, wanted - fresh - starting);

/** Fresh workers to end: those beyond what is wanted. */
export const surplusFresh = <Id>(idle: readonly IdleWorker<Id>[], wanted: number): Id[] =>
  idle
    .filter(({ binding }) => binding === undefined)
    .slice(wanted)
    .map(({ id }) => id);

const newestFirst = <Id>(workers: readonly IdleWorker<Id>[]): IdleWorker<Id>[] =>
  [...workers].sort((a, b) => b.idleSinceMs - a.idleSinceMs);
