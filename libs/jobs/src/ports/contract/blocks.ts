import type { RequestOf, appendBlock } from '@das/contracts';
import type { JobId, PartId } from '@das/kernel';
import { type Scenario, bytesOf, linesFrom, sha256 } from './scenario.js';

type Append = RequestOf<typeof appendBlock>;

/** A block of items [from, to) as a store is sent it. */
export const block = (no: number, from: number, to: number, lines = linesFrom(from, to)) => ({
  head: { no, from, to, digest: sha256(lines) },
  lines,
});

export const append = (
  s: Scenario,
  job: JobId,
  { head, lines }: ReturnType<typeof block>,
  attempt?: Append['attempt'],
  generation = 1,
) => s.store.appendBlock({ job, generation, block: head, ...(attempt && { attempt }) }, bytesOf(lines));

export const attemptOf = (job: JobId, part: PartId, attempt = 1, generation = 1) => ({
  job,
  generation,
  part,
  attempt,
});
