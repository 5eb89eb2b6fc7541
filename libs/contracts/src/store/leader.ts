import { z } from 'zod';
import { count, jobIdSchema, nodeIdSchema, partIdSchema } from '../ids.js';
import {
  failureSchema,
  jobCountsSchema,
  jobRecordSchema,
  jobStateSchema,
  openPartSchema,
  partKindSchema,
} from '../job.js';
import { operation } from '../operation.js';
import { attemptRefSchema, generation } from './attempt.js';

/* What the leader does, fenced by its term, and what a new leader reads. */

/** A leader's act carries its term; it is checked in the transaction of the effect. */
export const actSchema = z.object({
  term: z.number().int().min(1),
  leader: nodeIdSchema,
  actSeq: count('grows by one per act'),
});
export type Act = z.infer<typeof actSchema>;

export const newPartSchema = z.object({
  job: jobIdSchema,
  generation,
  part: partIdSchema,
  kind: partKindSchema,
  from: z.number().int(),
  to: z.number().int(),
  tries: z.number().int(),
});
export type NewPart = z.infer<typeof newPartSchema>;

/**
 * One batch of a leader's decisions, in one transaction: new parts with the cut that made them, new attempts, ended attempts.
 * All of it repeated is harmless. What no longer applies (the part was committed, the job ended) is left out and its job named in `stale`:
 * the leader reads that job again.
 */
export const saveActs = operation(
  'store.save-acts',
  z.object({
    act: actSchema,
    parts: z.array(newPartSchema).max(10_000),
    cuts: z.array(z.object({ job: jobIdSchema, generation, cut: z.number().int() })),
    attempts: z.array(attemptRefSchema.extend({ node: nodeIdSchema })).max(10_000),
    ended: z.array(attemptRefSchema.extend({ why: z.string().max(200) })).max(10_000),
  }),
  z.object({ outcome: z.enum(['saved', 'staleTerm']), term: z.number().int(), stale: z.array(jobIdSchema) }),
);

/**
 * Moves a job on, under its lock: to `gathering` with the new step parts, or to its end. Refused as `partsOpen` while a part is open
 * or the input is not sealed and cut (except to `failed`).
 *
 * A job whose script has a hook for that end becomes `settling` first: its decision and the hook's part are written, and what is still open
 * is cancelled, in this transaction. Asked again once the hook is over, it ends. Another end than the decided one is refused as `decided`.
 */
export const advanceJob = operation(
  'store.advance-job',
  z.object({
    act: actSchema,
    job: jobIdSchema,
    generation,
    to: jobStateSchema,
    failure: failureSchema.optional().describe('why it fails; of a part of the hook: why the hook is given up'),
    /** Failed items the leader knows of. When the store counts others, or a fatal part, a job is not moved on: `partsOpen`. */
    failed: count('failed items the leader counted').optional(),
    parts: z.array(newPartSchema).max(10_000),
  }),
  z.object({
    outcome: z.enum(['advanced', 'partsOpen', 'decided', 'jobEnded', 'staleTerm']),
    job: jobRecordSchema.optional().describe('as it is now, which may be `settling` where an end was asked for'),
  }),
);

/** Unfinished jobs (not `submitted`), page by page, in order of creation. */
export const loadJobs = operation(
  'store.load-jobs',
  z.object({
    after: jobIdSchema.optional(),
    job: jobIdSchema.optional().describe('only this one, whatever its state'),
  }),
  z.object({ jobs: z.array(z.object({ record: jobRecordSchema, counts: jobCountsSchema })), more: z.boolean() }),
);

/** Open parts (pending or assigned) of a job with their live attempts, page by page. */
export const loadParts = operation(
  'store.load-parts',
  z.object({ job: jobIdSchema, generation, after: partIdSchema.optional() }),
  z.object({ parts: z.array(openPartSchema), more: z.boolean() }),
);
