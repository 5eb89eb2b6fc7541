import { Fault } from '@das/contracts';

/** Bounds of one reply, the same in every adapter; each is well below a message's bound. */
export const pages = {
  jobsMax: 100,
  openPartsMax: 2_000,
  blocksMax: 2_000,
  /** Rows that one life of an attempt may send ahead of its commit: a bound on what it can pile up. */
  stagedRowsMax: 4_096,
} as const;

/** As many of the first as a page of JSON holds; at least one. */
export function fittingJson<T>(values: readonly T[], bytesMax: number): T[] {
  let bytes = 0;
  const end = values.findIndex((value, i) => (bytes += JSON.stringify(value).length) > bytesMax && i > 0);
  return values.slice(0, end < 0 ? values.length : end);
}

export const tooMuchStaged = (): Fault =>
  new Fault('PAYLOAD_TOO_LARGE', `an attempt may stage ${pages.stagedRowsMax} output rows`, {
    hint: 'make smaller parts',
  });

/** What a job's followers read when its items start again from zero. */
export const restartNote = (generation: number, why: string): string =>
  `the items start again from zero (generation ${generation}): ${why}`;

/** Why a cancelled job ended, as its followers read it. */
export const cancelFailure = (why: string) => ({ code: 'JOB_CANCELLED', message: why });
