import { Fault, type OpenPart } from '@das/contracts';

/** Bounds of one reply, the same in every adapter; each is well below a message's bound. */
export const pages = {
  jobsMax: 100,
  /** A part of ordinary names has 150 bytes as JSON: with longer ones a page is cut short, see {@link fittingParts}. */
  openPartsMax: 5_000,
  blocksMax: 2_000,
  /** Rows that one life of an attempt may send ahead of its commit: a bound on what it can pile up. */
  stagedRowsMax: 4_096,
} as const;

/** As many of the first as a page of JSON holds; at least one. */
export function fittingJson<T>(values: readonly T[], bytesMax: number): T[] {
  return fitting(values, (value) => JSON.stringify(value).length, bytesMax);
}

/** As many of the first as `bytesMax` hold; at least one. */
export function fitting<T>(values: readonly T[], bytesOf: (value: T) => number, bytesMax: number): T[] {
  let bytes = 0;
  const end = values.findIndex((value, i) => (bytes += bytesOf(value)) > bytesMax && i > 0);
  return values.slice(0, end < 0 ? values.length : end);
}

/** Of a part as JSON, without its names. */
const openPartBytes = 200;
const liveAttemptBytes = 40;

/** As many open parts as one reply holds. Estimated from above: writing each as JSON twice would be a tenth of a new leader's time. */
export function fittingParts(parts: readonly OpenPart[], bytesMax: number): OpenPart[] {
  const bytesOf = ({ part, avoid, live }: OpenPart): number =>
    live.reduce(
      (sum, { node }) => sum + liveAttemptBytes + node.length,
      openPartBytes + part.length + (avoid?.length ?? 0),
    );
  return fitting(parts.slice(0, pages.openPartsMax), bytesOf, bytesMax);
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
