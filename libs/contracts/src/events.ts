import { z } from 'zod';
import { jobIdSchema, nodeIdSchema, partIdSchema } from './ids.js';
import { decisionSchema, failureSchema, jobStateSchema } from './job.js';

/** JobManagement.Progress and friends: what a job's followers see, replayable from the first (`das.v1.events.<job>.<event>`). */
export const jobEventSchema = z.discriminatedUnion('event', [
  z.object({
    event: z.literal('state'),
    job: jobIdSchema,
    at: z.number(),
    state: jobStateSchema,
    generation: z.number().int(),
    failure: failureSchema.optional(),
    outcome: decisionSchema.shape.outcome.optional().describe('of `settling`: what was decided'),
    hookFailure: failureSchema.optional(),
  }),
  z.object({
    event: z.literal('progress'),
    job: jobIdSchema,
    at: z.number(),
    committed: z.number(),
    failed: z.number(),
    items: z.number(),
    sealed: z.boolean(),
    running: z.number().describe('live attempts'),
    etaMs: z.number().optional(),
  }),
  z.object({ event: z.literal('note'), job: jobIdSchema, at: z.number(), message: z.string().max(4000) }),
  z.object({
    event: z.literal('log'),
    job: jobIdSchema,
    at: z.number(),
    node: nodeIdSchema,
    part: partIdSchema,
    attempt: z.number().int(),
    stream: z.enum(['stdout', 'stderr']),
    lines: z.array(z.string().max(10_000)).max(1000),
  }),
]);
export type JobEvent = z.infer<typeof jobEventSchema>;

/** `das.v1.events.<job>.<event>` – kept by the event stream for a day, at most 4,096 of one subject; `*` for all of a job. */
export const eventSubject = (job: string, event: JobEvent['event'] | '*'): string => `das.v1.events.${job}.${event}`;
/** Everything the event stream captures. */
export const eventSubjects = 'das.v1.events.>';
