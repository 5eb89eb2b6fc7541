import { z } from 'zod';
import { nodeIdSchema } from './ids.js';
import { announcement, nodeOperation, operation } from './operation.js';

/* ── membership ───────────────────────────────────────────────────────────────────────────────── */

export const memberStateSchema = z.enum(['alive', 'suspect', 'dead', 'left']);
export type MemberState = z.infer<typeof memberStateSchema>;

export const memberSchema = z.object({
  node: nodeIdSchema,
  state: memberStateSchema,
  incarnation: z.number().int().describe('start time of the membership service (ms); a newer one replaces an older'),
  rest: z.string().max(300).optional().describe('base URL of the REST front door'),
  slots: z.number().int().optional(),
  version: z.string().max(60),
  sinceMs: z.number().describe('in this state for (ms)'),
});
export type Member = z.infer<typeof memberSchema>;

/** Says "I am here"; `leaving` says goodbye. Every second. */
export const memberBeat = announcement(
  'membership.beat',
  z.object({
    node: nodeIdSchema,
    incarnation: z.number().int(),
    rest: z.string().max(300).optional(),
    slots: z.number().int().optional(),
    version: z.string().max(60),
    leaving: z.boolean().default(false),
  }),
);
export type MemberBeat = z.infer<typeof memberBeat.body>;

/** One member changed its state, as seen by the node that tells it (`by`). Each node tells only its own services. */
export const memberChanged = announcement('membership.changed', z.object({ by: nodeIdSchema, member: memberSchema }));
/** All members this node knows, itself included. */
export const listMembers = nodeOperation(
  'membership',
  'list',
  z.object({}),
  z.object({ members: z.array(memberSchema) }),
);

/* ── election ─────────────────────────────────────────────────────────────────────────────────── */

/** LeaderElection.Election: "I want to lead; you outrank me: do you object?" To every higher-ranked live node. */
export const electionCall = announcement(
  'election.election',
  z.object({ from: nodeIdSchema, to: nodeIdSchema, round: z.string().max(64) }),
);
/** LeaderElection.OK: "I object and stand myself", or "there is a leader": its term. */
export const electionOk = announcement(
  'election.ok',
  z.object({
    from: nodeIdSchema,
    to: nodeIdSchema,
    round: z.string().max(64),
    leader: z.object({ node: nodeIdSchema, term: z.number().int() }).optional(),
  }),
);
/** LeaderElection.Coordinator: "I hold this term"; at once when won, then every 250 ms. `resigned`: "I no longer do". */
export const coordinator = announcement(
  'election.coordinator',
  z.object({
    leader: nodeIdSchema,
    term: z.number().int().min(1),
    resigned: z.boolean().default(false),
    /** The leader may act for this long after this message was sent (ms): 3 s from the start of its last successful renewal. */
    trustMs: z.number().min(0),
    epoch: z
      .string()
      .max(64)
      .optional()
      .describe(
        "the leader's job-splitter instance that the term was claimed for (its splitterBeat's epoch): no other instance acts in it",
      ),
  }),
);
/** The node's job-splitter says that it is able to lead; every 500 ms. A new epoch while its node leads makes the node claim a new term. */
export const splitterBeat = announcement(
  'election.splitter-beat',
  z.object({ node: nodeIdSchema, epoch: z.string().max(64) }),
);
/** Who leads, as this node knows it. */
export const getLeader = nodeOperation(
  'election',
  'leader',
  z.object({}),
  z.object({ leader: nodeIdSchema.optional(), term: z.number().int() }),
);

/* ── telemetry ────────────────────────────────────────────────────────────────────────────────── */

/** Telemetry.Log: a warning or an error of a service, for the whole cluster to see. */
export const serviceLog = announcement(
  'telemetry.log',
  z.object({
    node: nodeIdSchema,
    service: z.string().max(40),
    level: z.enum(['info', 'warn', 'error']),
    message: z.string().max(4000),
    at: z.number(),
  }),
);

export const nodeStatusSchema = z.object({
  node: nodeIdSchema,
  slots: z.number().int(),
  running: z.number().int(),
  queued: z.number().int(),
  holding: z.number().int(),
  workers: z.number().int(),
  rssBytes: z.number(),
  draining: z.boolean(),
  agoMs: z.number().describe('age of the heartbeat (ms)'),
});
export type NodeStatus = z.infer<typeof nodeStatusSchema>;
/** The newest heartbeat of every executor, from any telemetry service. */
export const clusterStatus = operation(
  'telemetry.status',
  z.object({}),
  z.object({ nodes: z.array(nodeStatusSchema) }),
);

/** Every service answers for its own health. */
export const serviceHealth = (service: string) =>
  nodeOperation(
    service,
    'health',
    z.object({}),
    z.object({
      service: z.string(),
      ready: z.boolean(),
      reasons: z.array(z.string()),
      pid: z.number().int(),
      startedAt: z.number(),
    }),
  );

/** What a node's services know of themselves and its membership service passes on in beats; told at start and every 5 s. Only the named node's membership heeds it. */
export const nodeAttributes = announcement(
  'membership.attributes',
  z.object({ node: nodeIdSchema, rest: z.string().max(300).optional(), slots: z.number().int().min(1).optional() }),
);
