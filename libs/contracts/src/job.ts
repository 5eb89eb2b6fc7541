import type { TransitionTable } from '@das/kernel';
import { z } from 'zod';
import { commandSchema } from './command.js';
import { count, digestSchema, jobIdSchema, nodeIdSchema, partIdSchema } from './ids.js';
import { languageSchema } from './language.js';
import { limits } from './limits.js';
import { resourceLimitsSchema } from './resources.js';
import { weakSandboxesSchema } from './sandbox.js';

/** A job's life. Drawn in docs/architecture.md#job. */
export const jobTransitions = {
  /** Accepted; its input is still being uploaded. */
  submitted: ['splitting', 'running', 'failed', 'cancelled'],
  /** Its last block is not stored yet; maps may already run. Back to itself under a new generation. */
  splitting: ['running', 'settling', 'failed', 'cancelled'],
  running: ['gathering', 'settling', 'succeeded', 'failed', 'cancelled', 'splitting'],
  /** All maps are committed; `reduce` and `gather` steps run. */
  gathering: ['settling', 'succeeded', 'failed', 'cancelled'],
  /** The outcome is decided for ever, and seen by nobody yet; the script's hook for it runs. Only jobs that have such a hook are ever here. */
  settling: ['succeeded', 'failed'],
  succeeded: [],
  failed: [],
  cancelled: [],
} as const satisfies TransitionTable<
  'submitted' | 'splitting' | 'running' | 'gathering' | 'settling' | 'succeeded' | 'failed' | 'cancelled'
>;
export type JobState = keyof typeof jobTransitions;
export const jobStateSchema = z.enum(Object.keys(jobTransitions) as [JobState, ...JobState[]]);

export const partKindSchema = z.enum(['split', 'map', 'reduce', 'gather', 'main', 'hook']);
export type PartKind = z.infer<typeof partKindSchema>;

/** A part's life. Terminal states have no way out. Drawn in docs/architecture.md#part. */
export const partTransitions = {
  pending: ['assigned', 'cancelled'],
  /** → pending: its last live attempt ended without a commit. */
  assigned: ['committed', 'failed', 'pending', 'cancelled'],
  committed: [],
  failed: [],
  cancelled: [],
} as const satisfies TransitionTable<'pending' | 'assigned' | 'committed' | 'failed' | 'cancelled'>;
export type PartState = keyof typeof partTransitions;
export const partStateSchema = z.enum(Object.keys(partTransitions) as [PartState, ...PartState[]]);

/** What a script defines. */
export const functionsSchema = z
  .object({
    split: z.boolean(),
    map: z.boolean(),
    combine: z.boolean(),
    reduce: z.boolean(),
    gather: z.boolean(),
    main: z.boolean(),
    on_success: z.boolean().optional(),
    on_failure: z.boolean().optional(),
  })
  .describe('which of the known functions the script defines');
export type Functions = z.infer<typeof functionsSchema>;

/** How many items may fail before the job does: an absolute number, or a share of all items. */
export const toleranceSchema = z.union([
  z.object({ items: count('failed items allowed') }),
  z.object({ share: z.number().min(0).max(1).describe('share of all items that may fail') }),
]);
export type Tolerance = z.infer<typeof toleranceSchema>;

/** Where items come from, as stored. */
export const inputKindSchema = z.union([
  z.object({ kind: z.literal('blocks') }).describe('uploaded NDJSON, or what split() yields'),
  z
    .object({ kind: z.literal('range'), from: z.number().int(), to: z.number().int() })
    .describe('integers from..to-1; nothing is stored'),
  z.object({ kind: z.literal('split') }).describe('split(params) of the script'),
  z.object({ kind: z.literal('none') }).describe('the script defines only main(params)'),
]);
export type InputKind = z.infer<typeof inputKindSchema>;

export const jobLimitsSchema = z.object({
  timeoutMs: z
    .number()
    .int()
    .min(100)
    .max(limits.timeoutMsMax)
    .optional()
    .describe(
      `no progress for this long ends an attempt (ms); default: ${limits.timeoutMsDefault}, and for gather and main none`,
    ),
  retries: z.number().int().min(0).max(100).default(2).describe('how often a failed item is tried again'),
  tolerate: toleranceSchema.default({ items: 0 }),
  itemsPerPart: z
    .number()
    .int()
    .min(1)
    .max(limits.itemsPerPartMax)
    .optional()
    .describe('fixed part size; learnt when absent'),
  priority: z.number().int().min(1).max(1000).default(100).describe('weight among jobs'),
  concurrency: z.number().int().min(1).max(100_000).optional().describe('slots the job may use at once'),
  buckets: z.number().int().min(1).max(1024).default(8).describe('reduce parts'),
  resources: resourceLimitsSchema.optional(),
});
export type JobLimits = z.infer<typeof jobLimitsSchema>;

/** What a job's code is written in; `command`: any program. */

/** Of a job whose code is more than one text: `code` is the digest of its manifest, `filename` the path of its entry. */
export const bundleSchema = z.object({
  files: count('files in it'),
  bytes: count('of all its files'),
});

/** Where a virtual environment lies on the nodes that run its job. Absolute and without steps up, so that it says what it means wherever it is read. */
export const venvSchema = z
  .string()
  .max(limits.venvPathChars)
  .regex(/^(\/(?!\.{1,2}(\/|$))[^/\p{Cc}]+)+$/u, 'expected an absolute path, like /srv/venvs/job')
  .describe('folder of a Python virtual environment, the same on every node that is to run the job');

/** A job as the store keeps it: fixed at creation. */
export const jobSpecSchema = z.object({
  job: jobIdSchema,
  name: z.string().max(200),
  language: languageSchema,
  filename: z.string().max(200).describe('shown in tracebacks'),
  code: digestSchema,
  command: commandSchema.optional().describe('of the language `command`'),
  bundle: bundleSchema.optional(),
  functions: functionsSchema,
  input: inputKindSchema,
  params: z.record(z.string(), z.unknown()),
  limits: jobLimitsSchema,
  contact: nodeIdSchema.describe('node the user submitted to; steps are placed on it first'),
  network: z.boolean().default(false),
  venv: venvSchema.optional(),
  traceparent: z.string().max(100).optional(),
});
export type JobSpec = z.infer<typeof jobSpecSchema>;

/** Why a job or an item failed, in words people can act on. */
export const failureSchema = z.object({
  code: z.string().max(80),
  message: z.string().max(limits.messageChars),
  item: count('number of the item').optional(),
  itemText: z.string().max(1_000).optional().describe('beginning of the item'),
  part: partIdSchema.optional(),
  node: nodeIdSchema.optional(),
  traceback: z.string().max(limits.tracebackChars).optional(),
  hint: z.string().max(1_000).optional(),
});
export type Failure = z.infer<typeof failureSchema>;

/** How a job ends, decided once, in the transaction that ends its work; every later end must equal it. */
export const decisionSchema = z.object({
  id: z.string().max(100).describe('the same in every run of the hook: makes its effect idempotent'),
  outcome: z.enum(['succeeded', 'failed']),
  failure: failureSchema.optional().describe('why, when it failed'),
  decidedAt: z.number().describe('database clock, ms'),
});
export type Decision = z.infer<typeof decisionSchema>;
export type Outcome = Decision['outcome'];

/** A job as the leader and the front door see it. */
export const jobRecordSchema = z.object({
  spec: jobSpecSchema,
  state: jobStateSchema,
  generation: z.number().int().min(1),
  sealed: z.boolean().describe('the number of items is final'),
  items: count('items stored so far; final when sealed'),
  cut: count('items [0, cut) have parts'),
  failure: failureSchema.optional(),
  decision: decisionSchema.optional().describe('of a job that has a hook for its outcome'),
  hookFailure: failureSchema.optional().describe('the hook failed for good; the outcome is what was decided'),
  sandboxes: weakSandboxesSchema,
  createdAt: z.number().describe('database clock, ms'),
  finishedAt: z.number().optional(),
});
export type JobRecord = z.infer<typeof jobRecordSchema>;

/** A part with its attempts, while it is open. */
export const openPartSchema = z.object({
  part: partIdSchema,
  kind: partKindSchema,
  from: count('first item (or bucket)'),
  to: count('one past the last'),
  tries: count('how often its items failed before'),
  avoid: nodeIdSchema.optional().describe('node of the last failure; another is preferred'),
  state: partStateSchema,
  lastAttempt: count('highest attempt number given'),
  live: z.array(z.object({ attempt: z.number().int().min(1), node: nodeIdSchema })),
  restMs: count('no attempt may start for so long (ms); only of a hook').optional(),
});
export type OpenPart = z.infer<typeof openPartSchema>;

/** A part's failure counted per job: what the leader needs to judge `tolerate`. */
export const jobCountsSchema = z.object({
  committed: count('items committed'),
  failed: count('items failed for good'),
  open: count('open parts'),
  firstFailure: failureSchema.optional().describe('of the first item that failed for good'),
  fatal: failureSchema.optional().describe('of a failed step, or of a part that failed as a whole'),
});
export type JobCounts = z.infer<typeof jobCountsSchema>;
