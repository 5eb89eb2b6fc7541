import { z } from 'zod';
import { count, digestSchema, jobIdSchema, nodeIdSchema, partIdSchema } from './ids.js';
import {
  failureSchema,
  jobCountsSchema,
  jobRecordSchema,
  jobSpecSchema,
  jobStateSchema,
  openPartSchema,
  partKindSchema,
  partStateSchema,
} from './job.js';
import { limits } from './limits.js';
import { operation } from './operation.js';

/* What the results-store answers (`das.v1.store.*`). It is the only judge of terms and commits (DESIGN §4.2). */

const generation = z.number().int().min(1).describe("one life of a job's items");
const attemptNumber = z.number().int().min(1);

export const rangeSchema = z.object({ from: count('first'), to: count('one past the last') });
export type Range = z.infer<typeof rangeSchema>;

/** Names one attempt: enough to judge whether it may still act. */
export const attemptRefSchema = z.object({ job: jobIdSchema, generation, part: partIdSchema, attempt: attemptNumber });
export type AttemptRef = z.infer<typeof attemptRefSchema>;

/** A leader's act carries its term; it is checked in the transaction of the effect. */
export const actSchema = z.object({
  term: z.number().int().min(1),
  leader: nodeIdSchema,
  actSeq: count('grows by one per act'),
});
export type Act = z.infer<typeof actSchema>;

/* ── jobs and their input ─────────────────────────────────────────────────────────────────────── */

/** A block's place in the input; its raw bytes are NDJSON, one item a line, each line ended. */
export const blockHeadSchema = z.object({
  no: count('blocks of a job are numbered from 0'),
  from: count('first item'),
  to: count('one past the last item'),
  digest: digestSchema.describe('of the uncompressed bytes'),
});
export type BlockHead = z.infer<typeof blockHeadSchema>;

/** Creates a job, its code and, when the input is small, its only block (raw), in one transaction. The same id again: the stored job. */
export const createJob = operation(
  'store.create-job',
  z.object({
    spec: jobSpecSchema,
    codeText: z.string().max(limits.codeBytesMax),
    /** Items known at once: a range, `none`, or the block in the raw payload. Absent: an upload or split() follows. */
    items: count('number of items').optional(),
    block: blockHeadSchema.optional().describe('head of the raw payload'),
  }),
  z.object({ job: jobRecordSchema, existed: z.boolean() }),
);

/** Stores one block (raw). Uploads carry no attempt; blocks of `split` carry theirs and are refused once it has ended. */
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
  z.object({ job: jobIdSchema, generation, items: count('number of items') }),
  z.object({ outcome: z.enum(['sealed', 'jobEnded']), job: jobRecordSchema.optional() }),
);

/** Drops a job whose upload broke; a job that is past `submitted` is left alone. */
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

/* ── what the leader does ─────────────────────────────────────────────────────────────────────── */

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
 */
export const advanceJob = operation(
  'store.advance-job',
  z.object({
    act: actSchema,
    job: jobIdSchema,
    generation,
    to: jobStateSchema,
    failure: failureSchema.optional(),
    /** Failed items the leader knows of. When the store counts others, or a fatal part, a job is not moved on: `partsOpen`. */
    failed: count('failed items the leader counted').optional(),
    parts: z.array(newPartSchema).max(10_000),
  }),
  z.object({ outcome: z.enum(['advanced', 'partsOpen', 'jobEnded', 'staleTerm']), job: jobRecordSchema.optional() }),
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

/* ── what executors do ────────────────────────────────────────────────────────────────────────── */

/** Which outputs a row belongs to. `shuffle`: `[key,value]` lines of one bucket, in item order. */
export const outputKindSchema = z.enum(['map', 'shuffle', 'reduce', 'gather', 'main']);
export type OutputKind = z.infer<typeof outputKindSchema>;

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

/** Output that does not fit one commit, sent ahead (raw = its rows' bytes, in order). Seen by nobody until the attempt commits. The same rows again are fine. */
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
  }),
  z.object({
    outcome: z.enum(['committed', 'alreadyCommitted', 'staleAttempt', 'jobEnded']),
    /** New pending parts that this commit made. */
    children: z.array(openPartSchema),
    /** Items that failed for good, with the reason. */
    failed: z.array(failureSchema),
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

/* ── what the front door asks ─────────────────────────────────────────────────────────────────── */

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
  z.object({ outcome: z.enum(['cancelled', 'alreadyCancelled', 'ended', 'unknown']), job: jobRecordSchema.optional() }),
);

/* ── terms (port TermAuthority, DESIGN §5) ────────────────────────────────────────────────────── */

export const termSchema = z.object({ term: z.number().int().min(0), leader: nodeIdSchema.optional() });
export type Term = z.infer<typeof termSchema>;

/** Grants the next term iff the current one is still `above`. */
export const claimTerm = operation(
  'store.claim-term',
  z.object({ node: nodeIdSchema, above: z.number().int().min(0) }),
  termSchema.extend({ granted: z.boolean() }),
);
/** Confirms that the term is still the current one and held by the node. */
export const renewTerm = operation(
  'store.renew-term',
  z.object({ node: nodeIdSchema, term: z.number().int() }),
  termSchema.extend({ held: z.boolean() }),
);
/** The current term, with how long ago its leader last renewed it (ms, database clock). */
export const currentTerm = operation(
  'store.current-term',
  z.object({}),
  termSchema.extend({ renewedAgoMs: z.number() }),
);
