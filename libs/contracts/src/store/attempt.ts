import { z } from 'zod';
import { count, jobIdSchema, partIdSchema } from '../ids.js';

/* The words that several requests to the store share. */

export const generation = z.number().int().min(1).describe("one life of a job's items");
const attemptNumber = z.number().int().min(1);

export const rangeSchema = z.object({ from: count('first'), to: count('one past the last') });
export type Range = z.infer<typeof rangeSchema>;

/** Names one attempt: enough to judge whether it may still act. */
export const attemptRefSchema = z.object({ job: jobIdSchema, generation, part: partIdSchema, attempt: attemptNumber });
export type AttemptRef = z.infer<typeof attemptRefSchema>;
