import { type PartKind, limits } from '@das/contracts';

/** How long a part of a job may make no progress (ms): `gather` and `main` for ever, unless the user gave a time-out, which holds for every kind. */
export function timeoutOf(kind: PartKind, givenMs: number | undefined): number | undefined {
  if (givenMs !== undefined) return givenMs;
  return kind === 'gather' || kind === 'main' ? undefined : limits.timeoutMsDefault;
}
