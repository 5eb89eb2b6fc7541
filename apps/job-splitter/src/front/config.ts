import { z } from 'zod';

/** Settings of the front door, beside those every service has. */
export const frontConfig = z.object({
  DAS_REST_PORT: z.coerce
    .number()
    .int()
    .min(0)
    .max(65_535)
    .default(0)
    .describe('Port of the REST interface. 0 takes a free one.'),
  DAS_REST_URL: z
    .url()
    .max(300)
    .optional()
    .describe('Base URL by which others reach this node; default: the address it listens on.'),
});
export type FrontConfig = z.infer<typeof frontConfig>;

/** Bounds and times of the front door; each is tried by a test or is a plain time-out. */
export const frontLimits = {
  /** A store that restarts is back within this; afterwards the client gets 503 with Retry-After. */
  storeTimeoutMs: 15_000,
  /** A response that has begun waits this long for a store that is away, then breaks off. */
  storeAwayMaxMs: 60_000,
  /** An upload with an Idempotency-Key that is not whole by then takes its key; until then one transaction may do it all. */
  keyReserveMs: 250,
  /** A node is asked this long whether it still receives an upload. */
  uploadingTimeoutMs: 1_000,
  /** Longer than a node takes to open a virtual environment. */
  inspectTimeoutMs: 10_000,
  /** All nodes together that are asked when the first one could not tell. */
  inspectOthersMs: 15_000,
  /** Code bundles that are unpacked at the same time; each is held in memory, twice for a moment. */
  archivesMax: 2,
  /** Nodes asked to parse a script before giving up. */
  inspectNodesMax: 3,
  /** Nodes asked whether they have a virtual environment. */
  venvNodesMax: 64,
  /** Nodes asked for a virtual environment at a time: each that has it may start an interpreter. */
  venvNodesAtOnce: 4,
  inspectedScriptsMax: 256,
  /** A lost `jobs.ended` costs at most this. */
  endPollMs: 500,
  followPollMs: 250,
  /** Logs of the last part may be told just after its commit. */
  logsGraceMs: 300,
  eventsPollMs: 2_000,
  keepAliveMs: 15_000,
  /** A follower that lets more than this pile up is disconnected; it resumes by Last-Event-ID. */
  followerBufferBytesMax: 4 * 1024 * 1024,
  /** Bodies that are no uploads are there whole within this: some megabytes at most. */
  bodyMs: 60_000,
  /** After the answer, how long what remains of a body is discarded before the connection is closed. */
  discardMs: 10_000,
  retryAfterS: 2,
  logsPage: 500,
} as const;
