import { z } from 'zod';
import { count, digestSchema, jobIdSchema } from '../ids.js';
import { jobRecordSchema, jobSpecSchema } from '../job.js';
import { limits, submissionKeyPattern } from '../limits.js';
import { operation } from '../operation.js';
import { attemptRefSchema, generation } from './attempt.js';

/* Jobs and their input: the front door and `split` write it, executors read it. */

/** A block's place in the input; its raw bytes are NDJSON, one item a line, each line ended. */
export const blockHeadSchema = z.object({
  no: count('blocks of a job are numbered from 0'),
  from: count('first item'),
  to: count('one past the last item'),
  digest: digestSchema.describe('of the uncompressed bytes'),
});
export type BlockHead = z.infer<typeof blockHeadSchema>;

/** What a submission that is sent again is known by (Idempotency-Key). Kept for `limits.keyKeptMs`, or as long as its job, if that is shorter. */
export const submissionKeySchema = z.object({
  owner: z
    .string()
    .regex(/^[\x21-\x7e]+$/)
    .max(limits.keyOwnerChars)
    .describe('whose key: two owners may use the same one'),
  key: z.string().regex(submissionKeyPattern).describe('what the client chose'),
  digest: digestSchema.optional().describe('of spec, code and all items; absent while the items are still coming'),
});
export type SubmissionKey = z.infer<typeof submissionKeySchema>;

/**
 * Whose job a key stands for. `uploading`: of one whose input is not there whole · `same`: of this body · `different`: of another
 * · `unknown`: the body of this request is not known yet; `digest` is what it must come to.
 */
export const keyVerdictSchema = z.enum(['uploading', 'same', 'different', 'unknown']);

/**
 * Creates a job, its code and, when the input is small, its only block (raw), in one transaction. The same id again: the stored job.
 * A key that stands for another job: that job, nothing is created, and `key` says why.
 */
export const createJob = operation(
  'store.create-job',
  z.object({
    spec: jobSpecSchema,
    codeText: z.string().max(limits.codeBytesMax).describe('empty when spec.bundle says that the code is a bundle'),
    /** Items known at once: a range, `none`, or the block in the raw payload. Absent: an upload or split() follows. */
    items: count('number of items').optional(),
    block: blockHeadSchema.optional().describe('head of the raw payload'),
    key: submissionKeySchema.optional(),
  }),
  z.object({
    job: jobRecordSchema,
    existed: z.boolean(),
    key: z.object({ verdict: keyVerdictSchema, digest: digestSchema.optional() }).optional(),
  }),
);

/**
 * Stores one block (raw). Uploads carry no attempt; blocks of `split` carry theirs and are refused once it has ended.
 * A block of an upload sent again says that the upload goes on, which keeps its job from being dropped.
 */
export const appendBlock = operation(
  'store.append-block',
  z.object({ job: jobIdSchema, generation, block: blockHeadSchema, attempt: attemptRefSchema.optional() }),
  z.object({
    /** `different`: a later attempt of `split` yielded other items; see {@link restartSplit}. */
    outcome: z.enum(['stored', 'same', 'different', 'staleAttempt', 'jobEnded']),
  }),
);

/** Ends an upload: the items are final and the job may run. Twice is fine. */
export const sealJob = operation(
  'store.seal-job',
  z.object({
    job: jobIdSchema,
    generation,
    items: count('number of items'),
    digest: digestSchema.optional().describe('for its key: of spec, code and all items'),
  }),
  z.object({ outcome: z.enum(['sealed', 'jobEnded']), job: jobRecordSchema.optional() }),
);

/** Drops a job whose upload broke, and frees its key; a job that is past `submitted` is left alone. */
export const abandonJob = operation(
  'store.abandon-job',
  z.object({ job: jobIdSchema, why: z.string().max(1000) }),
  z.object({}),
);

/** A live attempt of `split` found that its items differ from the stored ones: everything of the job's generation goes, and a new one starts. */
export const restartSplit = operation(
  'store.restart-split',
  z.object({ attempt: attemptRefSchema, why: z.string().max(1000) }),
  z.object({ outcome: z.enum(['restarted', 'staleAttempt', 'jobEnded']), generation: generation.optional() }),
);

/** Items [from, to) as raw NDJSON; at most a page: `to` of the reply says how far it got, and is > `from` unless the range is empty or not stored. */
export const readItems = operation(
  'store.read-items',
  z.object({ job: jobIdSchema, generation, from: count('first item'), to: count('one past the last') }),
  z.object({ from: z.number(), to: z.number() }),
);

export const listBlocks = operation(
  'store.list-blocks',
  z.object({
    job: jobIdSchema,
    generation,
    after: z.number().int().min(-1).default(-1).describe('number of the last block seen'),
  }),
  z.object({ blocks: z.array(blockHeadSchema.extend({ bytes: count('uncompressed') })), more: z.boolean() }),
);

/** A stored blob (a job's code) as raw bytes, page by page. */
export const readBlob = operation(
  'store.read-blob',
  z.object({ digest: digestSchema, chunk: count('page number, from 0') }),
  z.object({ found: z.boolean(), chunks: z.number().int() }),
);
