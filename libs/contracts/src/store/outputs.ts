import { z } from 'zod';
import { count, jobIdSchema, nodeIdSchema } from '../ids.js';
import { type Functions, failureSchema, jobStateSchema, openPartSchema } from '../job.js';
import { limits } from '../limits.js';
import { operation } from '../operation.js';
import { sandboxSchema } from '../sandbox.js';
import { attemptRefSchema, generation, rangeSchema } from './attempt.js';

/* Outputs: executors commit them; steps and the front door read them back. */

/** Which outputs a row belongs to. `shuffle`: `[key,value]` lines of one bucket, in item order. */
export const outputKindSchema = z.enum(['map', 'shuffle', 'reduce', 'gather', 'main']);
export type OutputKind = z.infer<typeof outputKindSchema>;

/** Which rows are a job's result: those of its last step. */
export function resultKind({ gather, reduce, main }: Functions): OutputKind {
  if (gather || reduce) return 'gather';
  return main ? 'main' : 'map';
}

/** One stored row of output: NDJSON lines of items [from, to). `seq` orders rows of the same `from` (a result larger than a page, or a step's). */
export const outputRowSchema = z.object({
  kind: outputKindSchema,
  bucket: count('0 unless kind is shuffle'),
  from: count('first item (bucket, or 0 for a step)'),
  to: count('one past the last'),
  seq: count('order among rows of one from'),
  bytes: count('length of its slice of the raw payload'),
});
export type OutputRow = z.infer<typeof outputRowSchema>;

/** Output that does not fit one commit, sent ahead (raw = its rows' bytes, in order). Seen by nobody until the attempt commits. The same rows again are fine; no rows ask only whether the attempt is live. */
export const stageOutput = operation(
  'store.stage-output',
  z.object({
    attempt: attemptRefSchema,
    /** One life of the attempt: a node that restarts may run the same attempt again, and its rows must not mix with those of before. */
    run: z.string().max(64).optional(),
    rows: z.array(outputRowSchema).max(1024),
  }),
  z.object({ outcome: z.enum(['staged', 'staleAttempt', 'jobEnded']) }),
);

/**
 * One attempt's outcome (raw = its rows' bytes, in order). `done`, `failures` and `unfinished` partition the part's range.
 * A failed item with tries left, and each unfinished range, becomes a new pending part in the same transaction (DESIGN §4.2 rule 3).
 */
export const commitPart = operation(
  'store.commit-part',
  z.object({
    attempt: attemptRefSchema,
    node: nodeIdSchema,
    sandbox: sandboxSchema.optional().describe('what kept its worker in; absent: nothing ran'),
    run: z.string().max(64).optional().describe('only rows staged by this life of the attempt are taken'),
    rows: z.array(outputRowSchema).max(4096),
    done: z.array(rangeSchema).max(1000),
    failures: z.array(failureSchema.extend({ item: count('number of the item') })).max(limits.failuresPerCommitMax),
    unfinished: z.array(rangeSchema).max(1000),
    /** The part failed as a whole and must not be tried again (the script cannot be imported). */
    fatal: failureSchema.optional(),
    /** The number of items: only from `split`, and it seals the job. */
    sealed: z.object({ items: count('number of items') }).optional(),
    busyMs: z.number().min(0),
    last: z
      .boolean()
      .optional()
      .describe('nothing of the job may be left after it: then the store ends the job with it'),
  }),
  z.object({
    outcome: z.enum(['committed', 'alreadyCommitted', 'staleAttempt', 'jobEnded']),
    /** New pending parts that this commit made. */
    children: z.array(openPartSchema),
    /** Items that failed for good, with the reason. */
    failed: z.array(failureSchema),
    ended: z.boolean().optional().describe('the job succeeded in the same transaction'),
    whole: z.boolean().optional().describe('it did, and the rows of this commit are its result'),
  }),
);

/** Committed output rows in order, at most a page (raw = their bytes). With `contiguous`, stops before a gap. */
export const readOutput = operation(
  'store.read-output',
  z.object({
    job: jobIdSchema,
    kind: outputKindSchema,
    bucket: count('of a shuffle').default(0),
    after: z.object({ from: z.number().int(), seq: z.number().int() }).optional().describe('the last row seen'),
    contiguousFrom: count('first item the reader lacks').optional(),
    skipFailed: z.boolean().default(false),
  }),
  z.object({
    rows: z.array(outputRowSchema.extend({ failed: z.boolean() })),
    more: z.boolean(),
    state: jobStateSchema,
    generation,
  }),
);
