import { type PartKind, limits } from '@das/contracts';

const unbounded: readonly PartKind[] = ['gather', 'main', 'hook'];

/** How long a part of a job may make no progress (ms): `gather`, `main` and the hooks for ever, unless the user gave a time-out, which holds for every kind. */
export function timeoutOf(kind: PartKind, givenMs: number | undefined): number | undefined {
  if (givenMs !== undefined) return givenMs;
  return unbounded.includes(kind) ? undefined : limits.timeoutMsDefault;
}
