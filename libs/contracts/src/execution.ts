import { z } from 'zod';
import { holdSchema } from './hold.js';
import { bundlePathSchema, count, digestSchema, jobIdSchema, nodeIdSchema, partIdSchema } from './ids.js';
import {
  decisionSchema,
  failureSchema,
  functionsSchema,
  jobRecordSchema,
  jobSpecSchema,
  openPartSchema,
  partKindSchema,
  venvSchema,
} from './job.js';
import { languageSchema } from './language.js';
import { limits } from './limits.js';
import { announcement, nodeOperation } from './operation.js';
import { groupedSchema, sandboxSchema } from './sandbox.js';
import type { commitPart } from './store/index.js';
import { actSchema, attemptRefSchema } from './store/index.js';

const inlineSchema = z.string().max(limits.inlineCharsMax);

/** One attempt for one node. The executor fetches items [from, to) itself. */
export const assignmentSchema = attemptRefSchema.extend({
  kind: partKindSchema,
  from: z.number().int(),
  to: z.number().int(),
  tries: z.number().int(),
  /** Number of items, once final: what `len(results)` says in `gather`. */
  items: count('number of items').optional(),
  decision: decisionSchema.optional().describe('what the hook is run for'),
  lines: inlineSchema.optional().describe('its items, where they are small: they need not be fetched'),
  last: z
    .boolean()
    .optional()
    .describe('nothing else of the job is open and nothing follows: its commit may end the job'),
});
export type Assignment = z.infer<typeof assignmentSchema>;

/** Hands attempts of one job to a node. Attempts the node knows already are accepted again and not started twice. */
export const assignParts = nodeOperation(
  'execution',
  'assign',
  z.object({ act: actSchema, spec: jobSpecSchema, assignments: z.array(assignmentSchema).min(1).max(64) }),
  z.object({
    outcome: z.enum(['accepted', 'staleTerm', 'draining']),
    highestTerm: z.number().int().describe('the highest term this node has seen'),
  }),
);

/** Ends attempts that no longer count (their part was given to another node): their workers stop, nothing is committed. */
export const dropAttempts = nodeOperation(
  'execution',
  'drop',
  z.object({ act: actSchema, attempts: z.array(attemptRefSchema).min(1).max(10_000) }),
  z.object({ outcome: z.enum(['dropped', 'staleTerm']), highestTerm: z.number().int() }),
);

/** Parses (does not run) a script in a worker: what it defines, or where its syntax breaks. */
export const inspectScript = nodeOperation(
  'execution',
  'inspect',
  z.object({
    language: languageSchema.optional().describe('absent: as the ending of the file name, or of the entry, tells'),
    filename: z.string().max(200),
    codeText: z.string().max(limits.codeBytesMax).describe('empty for a bundle'),
    bundle: digestSchema.optional(),
    venv: venvSchema.optional(),
    entry: bundlePathSchema.optional().describe('of the bundle; absent: the one that stands out'),
  }),
  z.object({
    entry: z.string().optional().describe('of a bundle: the file that was looked at'),
    language: languageSchema.optional().describe('of a bundle: what that is written in'),
    functions: functionsSchema.optional(),
    fault: z
      .object({
        file: z.string().optional().describe('of a bundle, when it is not the entry'),
        line: z.number().int(),
        column: z.number().int(),
        text: z.string(),
        message: z.string(),
      })
      .optional(),
  }),
);

/** An attempt was committed, refused, or ended without an outcome: its slot is free. Told to the leader. */
export const attemptFinished = announcement(
  'parts.finished',
  z.object({
    attempt: attemptRefSchema,
    kind: partKindSchema,
    node: nodeIdSchema,
    outcome: z.enum(['committed', 'alreadyCommitted', 'staleAttempt', 'jobEnded', 'abandoned']),
    items: count('items done'),
    busyMs: z.number().min(0),
    children: z.array(openPartSchema),
    failed: z.array(failureSchema),
    fatal: failureSchema.optional(),
    sealed: z.object({ items: z.number().int() }).optional(),
    ended: z.boolean().optional().describe('the job succeeded with this commit'),
    /** For `abandoned`: why the node gave the attempt back without a commit. */
    why: z.string().max(1000).optional(),
    unfit: failureSchema
      .optional()
      .describe(
        'of `abandoned`: this node can run nothing of the job until somebody changes the node; why, and what to change',
      ),
  }),
);
export type AttemptFinished = z.infer<typeof attemptFinished.body>;
export type CommitRequest = z.infer<typeof commitPart.request>;
export type CommitReply = z.infer<typeof commitPart.reply>;

/** A job ended or left its generation: executors end its workers. Told by the store after the transaction. */
export const jobEnded = announcement(
  'jobs.ended',
  z.object({
    job: jobIdSchema,
    state: z.string(),
    belowGeneration: z.number().int().optional().describe('only attempts of earlier generations end'),
    result: inlineSchema.optional().describe('the whole result, where it is small and known here'),
  }),
);

/** Something about this job changed that the leader should read. A hint. */
export const jobWake = announcement(
  'jobs.wake',
  z.object({
    job: jobIdSchema,
    created: jobRecordSchema.optional().describe('the whole job, when it has just been created and may run'),
    lines: inlineSchema.optional().describe('all its items then, where they are small'),
  }),
);

export const heldAttemptSchema = attemptRefSchema.extend({
  part: partIdSchema,
  /** `holding`: done, its output not yet committed (the store is away). */
  phase: z.enum(['queued', 'running', 'holding']),
  /** Items done so far, and for how long it has run (ms). */
  items: z.number().int(),
  runningMs: z.number(),
});
export type HeldAttempt = z.infer<typeof heldAttemptSchema>;

/** Telemetry.Heartbeat of an executor, every second and when it starts: what it holds. */
export const executorBeat = announcement(
  'telemetry.heartbeat',
  z.object({
    node: nodeIdSchema,
    epoch: z.string().max(64).describe('new at every start of the executor'),
    slots: z.number().int().min(1),
    draining: z.boolean(),
    held: z.array(heldAttemptSchema),
    rssBytes: z.number(),
    workers: z.number().int().describe('worker processes alive'),
    hold: holdSchema.optional(),
    sandbox: sandboxSchema.optional().describe('absent: a node of an earlier version, which has none'),
    grouped: groupedSchema.optional().describe('what control groups bound there; absent: not known yet'),
  }),
);
export type ExecutorBeat = z.infer<typeof executorBeat.body>;
