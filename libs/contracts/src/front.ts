import { z } from 'zod';
import { commandSchema } from './command.js';
import { bundlePathSchema, digestSchema, jobIdSchema, nodeIdSchema } from './ids.js';
import {
  bundleSchema,
  decisionSchema,
  failureSchema,
  functionsSchema,
  jobLimitsSchema,
  jobStateSchema,
  venvSchema,
} from './job.js';
import { languages } from './language.js';
import { limits, submissionKeyPattern } from './limits.js';
import { resourceLimitsSchema } from './resources.js';
import { memberStateSchema } from './membership.js';
import { nodeOperation, operation } from './operation.js';
import { groupedSchema, sandboxSchema, weakSandboxesSchema } from './sandbox.js';
import { fenceSchema, lockLimits, lockNameSchema, lockTokenSchema, partViewSchema } from './store/index.js';

/* The public surface (DESIGN §7): REST bodies, and the same as plain JSON on `das.v1.jobs.*`. */

/** A share like "5%", or a number of items. */
const tolerateText = z.union([
  z.number().int().min(0),
  z.string().regex(/^\d+(\.\d+)?%$/, 'expected a number of items or a share like "5%"'),
]);

export const submissionSchema = z
  .strictObject({
    name: z.string().min(1).max(200).optional().describe("shown in lists; default: the script's file name"),
    code: z.strictObject({
      language: z
        .string()
        .optional()
        .describe(
          `${languages.join(', ')}; default: by the ending of the file name (of a bundle: of its entry), else python`,
        ),
      filename: z.string().min(1).max(200).default('job.py'),
      text: z
        .string()
        .max(limits.codeBytesMax)
        .optional()
        .describe(
          'the script, or the command; of a WebAssembly module its bytes as base64; absent: the part `code`, or `bundle`',
        ),
      bundle: digestSchema.optional().describe('digest of a code bundle that is stored (GET /v1/code/{digest})'),
      entry: bundlePathSchema
        .optional()
        .describe(
          'of a bundle: the file that defines the functions; default: main, job, __main__ or index of a known ending, or the only script at its top',
        ),
    }),
    command: commandSchema.optional().describe('of the language `command`'),
    input: z
      .union([
        z.strictObject({ items: z.array(z.unknown()).max(limits.blockItemsMax) }).describe('a few items, inline'),
        z.strictObject({ range: z.tuple([z.number().int(), z.number().int()]) }).describe('integers from..to-1'),
        z
          .strictObject({ format: z.enum(['ndjson', 'lines']) })
          .describe('the `input` part of a multipart request has the items'),
      ])
      .optional()
      .describe('absent: split(params), or main(params)'),
    params: z.record(z.string(), z.unknown()).default({}),
    timeoutMs: jobLimitsSchema.shape.timeoutMs,
    retries: jobLimitsSchema.shape.retries.optional(),
    tolerate: tolerateText.optional().describe('items that may fail: a number, or a share like "5%"'),
    itemsPerPart: jobLimitsSchema.shape.itemsPerPart,
    priority: jobLimitsSchema.shape.priority.optional(),
    concurrency: jobLimitsSchema.shape.concurrency,
    buckets: jobLimitsSchema.shape.buckets
      .unwrap()
      .optional()
      .describe('reduce parts; default: two per slot, at most 64'),
    network: z.boolean().optional(),
    venv: venvSchema.optional(),
    limits: resourceLimitsSchema.optional(),
  })
  .describe('what a user submits');
export type Submission = z.infer<typeof submissionSchema>;

/** A job as users see it. */
export const jobViewSchema = z.object({
  id: jobIdSchema,
  name: z.string(),
  state: jobStateSchema,
  generation: z.number().int(),
  contact: nodeIdSchema,
  code: z
    .object({
      digest: digestSchema,
      entry: z.string().describe('file that defines the functions'),
      bundle: bundleSchema.optional().describe('absent: the code is that one file'),
    })
    .optional()
    .describe('what it runs; the same digest is the same code'),
  venv: venvSchema.optional(),
  functions: functionsSchema,
  items: z.object({ total: z.number(), final: z.boolean(), committed: z.number(), failed: z.number() }),
  openParts: z.number(),
  createdAt: z.string().describe('UTC, ISO 8601'),
  finishedAt: z.string().optional(),
  wallMs: z.number().optional().describe('creation to end'),
  failure: failureSchema.optional(),
  decision: decisionSchema
    .omit({ failure: true, decidedAt: true })
    .extend({ decidedAt: z.string().describe('UTC, ISO 8601') })
    .optional()
    .describe('how the job ends; its hook for that runs, or ran'),
  limits: resourceLimitsSchema.optional().describe('what its user limits'),
  sandboxes: weakSandboxesSchema,
  hookFailure: failureSchema.optional().describe('on_success or on_failure failed; the outcome stays what was decided'),
});
export type JobView = z.infer<typeof jobViewSchema>;

export const nodeViewSchema = z.object({
  name: nodeIdSchema,
  state: memberStateSchema,
  leader: z.boolean(),
  rest: z.string().optional(),
  slots: z.number().int(),
  running: z.number().int(),
  queued: z.number().int(),
  holding: z.number().int().optional().describe('attempts that are done and wait for the database'),
  sandbox: sandboxSchema.optional().describe('what keeps scripts in there'),
  grouped: groupedSchema
    .optional()
    .describe(
      'limits that control groups keep there, for a worker with all that it starts; others hold for a process alone',
    ),
  notice: z.string().optional().describe('why output does not wait where it should, and what to do about it'),
  version: z.string(),
});
export type NodeView = z.infer<typeof nodeViewSchema>;

/** RFC 9457, with our `code`. */
export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  detail: z.string(),
  code: z.string(),
  field: z.string().optional(),
  expected: z.string().optional(),
  hint: z.string().optional(),
  line: z.number().int().optional(),
  text: z.string().optional(),
});
export type Problem = z.infer<typeof problemSchema>;

/** Plain JSON from any NATS client: `nats req das.v1.jobs.submit '{…}'`. */
export const jobsSubmit = operation(
  'jobs.submit',
  submissionSchema.extend({
    idempotencyKey: z
      .string()
      .regex(submissionKeyPattern, 'expected 1 to 255 visible ASCII characters')
      .optional()
      .describe(
        'the same key again is the same job, for a day, or until the job is deleted; as the header Idempotency-Key of REST',
      ),
  }),
  jobViewSchema,
);
/** Whether a node is still receiving the input of a job. A node that was restarted, or does not answer, is not: its upload is broken. */
export const jobsUploading = nodeOperation(
  'jobs',
  'uploading',
  z.object({ job: jobIdSchema }),
  z.object({ uploading: z.boolean() }),
);
export const jobsGet = operation('jobs.get', z.object({ job: jobIdSchema }), jobViewSchema);
export const jobsList = operation(
  'jobs.list',
  z.object({
    state: jobStateSchema.optional(),
    limit: z.number().int().min(1).max(1000).default(50),
    cursor: z.string().optional(),
  }),
  z.object({ jobs: z.array(jobViewSchema), next: z.string().optional() }),
);
export const jobsCancel = operation('jobs.cancel', z.object({ job: jobIdSchema }), jobViewSchema);
/** One page of a finished job's result; the reply's payload is the NDJSON alone, `das-next` in its headers asks for the next page. */
export const jobsResults = operation(
  'jobs.results',
  z.object({
    job: jobIdSchema,
    cursor: z.string().max(100).optional(),
    waitMs: z.number().int().min(0).max(60_000).default(0),
  }),
  z.object({ next: z.string().optional() }),
);

/** A time in seconds, as users give it, in whole milliseconds. */
const seconds = (minMs: number, maxMs: number): z.ZodNumber =>
  z
    .number()
    .min(minMs / 1_000)
    .max(maxMs / 1_000);
const lockLimit = seconds(lockLimits.limitMsMin, lockLimits.limitMsMax)
  .default(lockLimits.limitMsDefault / 1_000)
  .describe('the lock is free after so many seconds unless it is renewed');

export const lockAskSchema = z.strictObject({
  limit: lockLimit,
  token: lockTokenSchema
    .optional()
    .describe('default: a new one, in the answer. Its holder again: same fence, new limit'),
  wait: seconds(0, lockLimits.clientWaitMsMax).default(0).describe('wait up to so many seconds while another holds it'),
});
export type LockAsk = z.infer<typeof lockAskSchema>;

/** A lock as its holder sees it. */
export const lockViewSchema = z.object({
  name: lockNameSchema,
  token: lockTokenSchema,
  fence: fenceSchema,
  expiresAt: z.string().describe('UTC, ISO 8601, by the clock of the database'),
});
export type LockView = z.infer<typeof lockViewSchema>;
export const lockReleasedSchema = z.object({
  name: lockNameSchema,
  released: z.boolean().describe('false: the token does not hold it, or not any more'),
});
export type LockReleased = z.infer<typeof lockReleasedSchema>;

/** `nats req das.v1.locks.acquire '{"name":"stock","limit":30}'`. @throws Fault LOCK_HELD. */
export const locksAcquire = operation('locks.acquire', lockAskSchema.extend({ name: lockNameSchema }), lockViewSchema);
/** @throws Fault LOCK_LOST. */
export const locksRenew = operation(
  'locks.renew',
  z.strictObject({ name: lockNameSchema, token: lockTokenSchema, limit: lockLimit }),
  lockViewSchema,
);
export const locksRelease = operation(
  'locks.release',
  z.strictObject({ name: lockNameSchema, token: lockTokenSchema }),
  lockReleasedSchema,
);
export const partsPageSchema = z.object({ parts: z.array(partViewSchema), next: z.string().optional() });
