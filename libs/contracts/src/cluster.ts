import { z } from 'zod';
import { holdSchema } from './hold.js';
import { nodeIdSchema } from './ids.js';
import { limits } from './limits.js';
import { announcement, nodeAnnouncement, nodeOperation, operation } from './operation.js';
import { groupedSchema, sandboxSchema } from './sandbox.js';

/* ── election ─────────────────────────────────────────────────────────────────────────────────── */

/** LeaderElection.Election: "I want to lead; you outrank me: do you object?" To every higher-ranked live node. */
export const electionCall = announcement(
  'election.election',
  z.object({
    from: nodeIdSchema,
    to: nodeIdSchema,
    round: z.string().max(64),
    yields: z.boolean().optional().describe('the caller is not well and wants to lead last: whoever is better objects'),
    preempt: z
      .boolean()
      .optional()
      .describe('to a leader of lower rank: the caller has been able to lead for a while and asks for the lead'),
  }),
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
const votersList = z.array(nodeIdSchema).max(limits.votersMax);

/** LeaderElection.Coordinator: "I hold this term"; at once when won, then every 250 ms. `resigned`: "I no longer do". */
export const coordinator = announcement(
  'election.coordinator',
  z.object({
    leader: nodeIdSchema,
    term: z.number().int().min(1),
    resigned: z.boolean().default(false),
    to: nodeIdSchema.optional().describe('of a leader that resigns: who is to take over at once'),
    /** The leader may act for this long after this message was sent (ms): 3 s from the start of its last successful renewal. */
    trustMs: z.number().min(0),
    voters: votersList.optional().describe('with DAS_ELECTION=raft: by whose votes it leads'),
    epoch: z
      .string()
      .max(64)
      .optional()
      .describe(
        "the leader's job-splitter instance that the term was claimed for (its splitterBeat's epoch): no other instance acts in it",
      ),
  }),
);

const round = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const handOver = z.object({ leader: nodeIdSchema, round });

/** What voters say to each other with `DAS_ELECTION=raft`, in rounds that are numbered apart from the term. Told to `to` alone. */
export const raftLetter = nodeAnnouncement(
  'election',
  'vote',
  z.object({
    from: nodeIdSchema,
    to: nodeIdSchema,
    voters: z.string().max(16).describe("hash of the sender's list of voters: another list, and neither counts"),
    list: votersList.optional().describe('those voters, so that who has others can say both lists'),
    say: z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('preVote'), round }).describe('"would you vote for me?" Nothing is kept of it'),
      z.object({ kind: z.literal('vote'), round, handOver: handOver.optional() }),
      z.object({
        kind: z.literal('voteReply'),
        round,
        pre: z.boolean(),
        granted: z.boolean(),
        highest: round.describe('the round that the answering voter knows'),
        why: z.string().max(200).optional(),
      }),
      z.object({ kind: z.literal('beat'), round, seq: z.number().int().min(0) }),
      z.object({ kind: z.literal('beatReply'), round, seq: z.number().int().min(0), highest: round }),
      z.object({ kind: z.literal('resign'), round, to: nodeIdSchema.optional() }),
      z.object({ kind: z.literal('askRound') }).describe('of a voter whose vote store is lost'),
      z.object({ kind: z.literal('tellRound'), round: round.optional().describe('absent: it is lost here too') }),
    ]),
  }),
);
/** The holder of the record with `DAS_ELECTION=lease` leads no more; `to` may take the record at once. */
export const leaseHandOver = announcement(
  'election.hand-over',
  z.object({ from: nodeIdSchema, to: nodeIdSchema, nonce: z.string().max(64), round }),
);
/** The node's job-splitter tells its election that it is able to lead; every 500 ms. A new epoch while its node leads makes the node claim a new term. */
export const splitterBeat = nodeAnnouncement('election', 'splitter-beat', z.object({ epoch: z.string().max(64) }));
/** Who leads, as this node knows it. */
export const getLeader = nodeOperation(
  'election',
  'leader',
  z.object({}),
  z.object({
    leader: nodeIdSchema.optional(),
    term: z.number().int(),
    blocked: z.string().max(2000).optional().describe('why nobody leads, when it is for lack of others'),
    misfit: z
      .string()
      .max(4000)
      .optional()
      .describe('why this node neither votes nor leads: its settings are not those of the leader'),
  }),
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
  hold: holdSchema.optional(),
  sandbox: sandboxSchema.optional(),
  grouped: groupedSchema.optional(),
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
