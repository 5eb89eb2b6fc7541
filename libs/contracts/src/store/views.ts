import { z } from 'zod';
import { jobIdSchema, nodeIdSchema, partIdSchema } from '../ids.js';
import {
  failureSchema,
  jobCountsSchema,
  jobRecordSchema,
  jobStateSchema,
  partKindSchema,
  partStateSchema,
} from '../job.js';
import { operation } from '../operation.js';

/* What the front door asks for the users of a job. */

export const getJob = operation(
  'store.get-job',
  z.object({ job: jobIdSchema }),
  z.object({ job: jobRecordSchema.optional(), counts: jobCountsSchema.optional() }),
);

export const listJobs = operation(
  'store.list-jobs',
  z.object({
    state: jobStateSchema.optional(),
    limit: z.number().int().min(1).max(1000).default(50),
    cursor: z.string().max(200).optional(),
  }),
  z.object({
    jobs: z.array(jobRecordSchema),
    /** Of each job, in the same order; without the failures' words. */
    counts: z.array(jobCountsSchema).optional(),
    next: z.string().optional(),
  }),
);

export const partViewSchema = z.object({
  part: partIdSchema,
  kind: partKindSchema,
  from: z.number(),
  to: z.number(),
  tries: z.number(),
  state: partStateSchema,
  busyMs: z.number().optional(),
  failure: failureSchema.optional(),
  attempts: z.array(
    z.object({
      attempt: z.number(),
      node: nodeIdSchema,
      term: z.number(),
      state: z.enum(['live', 'committed', 'ended']),
      why: z.string().optional(),
      startedAt: z.number().describe('database clock, ms'),
      endedAt: z.number().optional(),
    }),
  ),
});
export type PartView = z.infer<typeof partViewSchema>;

export const listParts = operation(
  'store.list-parts',
  z.object({ job: jobIdSchema, limit: z.number().int().min(1).max(1000).default(200), after: partIdSchema.optional() }),
  z.object({ parts: z.array(partViewSchema), more: z.boolean() }),
);

export const cancelJob = operation(
  'store.cancel-job',
  z.object({ job: jobIdSchema, why: z.string().max(1000).default('cancelled by its owner') }),
  z.object({
    outcome: z.enum(['cancelled', 'alreadyCancelled', 'decided', 'ended', 'unknown']),
    job: jobRecordSchema.optional(),
  }),
);
