import { z } from 'zod';
import { nodeIdSchema } from './ids.js';
import { announcement, nodeAnnouncement, nodeOperation, operation } from './operation.js';

export const memberStateSchema = z.enum(['alive', 'suspect', 'dead', 'left']);
export type MemberState = z.infer<typeof memberStateSchema>;

const count = z.number().int().min(0);
const restUrl = z.string().max(300).describe('base URL of the REST front door');
const gossipAddress = z.string().max(80).describe('where the gossip of a node is reached: ip:port');

/** Of labels and services: more do not fit into what a member may say of itself. */
const labelsSchema = z.record(z.string().max(40), z.string().max(100)).describe('what its operator says of the node');

export const memberSchema = z.object({
  node: nodeIdSchema,
  state: memberStateSchema,
  incarnation: count.describe('raised by the member itself, to overrule what others say of it'),
  address: gossipAddress,
  sinceMs: z.number().describe('in this state for (ms)'),
  version: z.string().max(60).optional().describe('of its software; absent for a member that is none of our nodes'),
  startedAt: count.optional().describe('start of its membership service (ms since 1970, by its own clock)'),
  rest: restUrl.optional(),
  slots: count.optional(),
  services: z.array(z.string().max(40)).max(32).describe('those of its services that are up'),
  labels: labelsSchema,
  rttMs: z.number().optional().describe('round trip of the newest direct probe, measured by the node that tells it'),
});
export type Member = z.infer<typeof memberSchema>;

const memberSeen = z.object({ by: nodeIdSchema.describe('the node that sees it so'), member: memberSchema });
export type MemberSeen = z.infer<typeof memberSeen>;

/* Each node tells only its own services what it sees (`by`). A lost one is found by listMembers. */

/** A member is there, for the first time or again. */
export const memberJoined = announcement('membership.member-joined', memberSeen);
/** A member does not answer; it is present still, and may refute. */
export const memberSuspected = announcement('membership.member-suspected', memberSeen);
/** A member did not answer and did not refute in time. */
export const memberDead = announcement('membership.member-dead', memberSeen);
/** A member said goodbye. */
export const memberLeft = announcement('membership.member-left', memberSeen);
/** A member has new attributes, or refuted a suspicion (its state is `alive` again). */
export const memberUpdated = announcement('membership.member-updated', memberSeen);

/** All members that this node knows, itself included; the dead and the left for ten minutes. */
export const listMembers = nodeOperation(
  'membership',
  'list',
  z.object({}),
  z.object({ members: z.array(memberSchema) }),
);

/** What a node's services know of themselves; told to the node's membership at start and every 10 s, and passed on by gossip. */
export const nodeAttributes = nodeAnnouncement(
  'membership',
  'attributes',
  z.object({
    service: z.string().max(40).optional().describe('the service that tells it, and is up'),
    rest: restUrl.optional(),
    slots: z.number().int().min(1).optional(),
  }),
);

/* ── finding each other ───────────────────────────────────────────────────────────────────────── */

const gossipLabel = z.string().max(255).describe('keeps clusters on one network apart');
/** Far more changes than a cluster lives to see. */
export const keyEditionMax = 1_000_000_000;
/** Of the keys of a node: raised by every change that drops one or lets another one encrypt. The higher one is the newer one. */
const keyEdition = z.number().int().min(0).max(keyEditionMax).default(0);

/**
 * "My gossip is here"; at the start, soon after it, and every 10 s. Whoever does not know the node as alive joins it; whoever has keys of a
 * lower edition asks it for its own.
 */
export const memberPresence = announcement(
  'membership.presence',
  z.object({
    node: nodeIdSchema,
    address: gossipAddress,
    startedAt: count,
    label: gossipLabel.default(''),
    edition: keyEdition,
  }),
);

const newcomer = z.object({ node: nodeIdSchema.describe('who asks') });
const welcome = z.object({
  by: nodeIdSchema,
  address: gossipAddress,
  label: gossipLabel,
  edition: keyEdition,
  keys: z.array(z.base64().max(64)).max(32).describe('keys of the gossip, the one that encrypts first'),
});
/** Where the cluster's gossip is, and its keys; from any node. Whoever may use the bus may have them: the cluster's token guards both. */
export const bootstrapGossip = operation('membership.bootstrap', newcomer, welcome);
/** The same from one node: for one that heard of its newer keys. */
export const bootstrapGossipFrom = nodeOperation('membership', 'bootstrap', newcomer, welcome);

/* ── looking inside ───────────────────────────────────────────────────────────────────────────── */

const noteCounts = z
  .record(z.string().max(40), count)
  .describe('what was noticed or dropped, by code, since the start');
const memberCounts = z.record(memberStateSchema, count);

/** How this node's gossip is doing. */
export const membershipStats = nodeOperation(
  'membership',
  'stats',
  z.object({}),
  z.object({
    node: nodeIdSchema,
    address: gossipAddress,
    profile: z.string().max(40),
    label: z.string().max(255),
    encrypted: z.boolean(),
    healthScore: count.describe('0: healthy; higher: it trusts its own view less and gives others more time'),
    members: memberCounts,
    notes: noteCounts,
  }),
);
export type MembershipStats = z.infer<typeof membershipStats.reply>;

/** The same figures for telemetry; every 5 s. `notes` only grow during one life of the service (`startedAt`). */
export const membershipCounted = announcement(
  'membership.counted',
  z.object({ node: nodeIdSchema, startedAt: count, healthScore: count, members: memberCounts, notes: noteCounts }),
);
export type MembershipCounted = z.infer<typeof membershipCounted.body>;

/* ── keys ─────────────────────────────────────────────────────────────────────────────────────── */

export const keyActionSchema = z.enum(['list', 'install', 'use', 'remove']);
export type KeyAction = z.infer<typeof keyActionSchema>;

/** A whole key (base64), or its fingerprint where the nodes have it already. */
const keyText = z
  .string()
  .min(8)
  .max(64)
  .describe('base64 of 16, 24 or 32 bytes; for use and remove its fingerprint too');

const keySchema = z.object({
  fingerprint: z.string().max(16).describe('names a key without telling it: 8 digits of its SHA-256'),
  bytes: count,
  primary: z.boolean().describe('it encrypts; all of them decrypt'),
});
export type GossipKey = z.infer<typeof keySchema>;

/** Changes the gossip keys of one node, in memory and in its keyring file. `unchanged`: it was so already. */
export const gossipKeys = nodeOperation(
  'membership',
  'keys',
  z.object({ action: keyActionSchema, key: keyText.optional() }),
  z.object({
    outcome: z.enum(['done', 'unchanged', 'refused']),
    reason: z.string().max(300).optional(),
    keys: z.array(keySchema),
  }),
);
export type GossipKeysReply = z.infer<typeof gossipKeys.reply>;

/* ── REST ─────────────────────────────────────────────────────────────────────────────────────── */

export const membersViewSchema = z.object({
  by: nodeIdSchema.describe('the node that was asked'),
  members: z.array(memberSchema),
  gossip: membershipStats.reply.optional().describe('how the gossip of the asked node is doing'),
});
export type MembersView = z.infer<typeof membersViewSchema>;

export const keyChangeSchema = z
  .strictObject({
    action: keyActionSchema.exclude(['list']),
    key: keyText,
    foreign: z
      .literal('changed')
      .optional()
      .describe('the keys of members that are none of our nodes were changed by their own means: go on beside them'),
  })
  .describe('a step of a key rotation, for every present member');
export type KeyChange = z.infer<typeof keyChangeSchema>;

export const keysViewSchema = z.object({
  complete: z.boolean().describe('every present member did it; foreign ones count where they are said to be changed'),
  nodes: z.array(
    z.object({
      node: nodeIdSchema,
      outcome: z
        .enum(['done', 'unchanged', 'refused', 'unreachable', 'foreign'])
        .describe(
          'unreachable: no answer; foreign: a member that is none of our nodes and has to be told by other means',
        ),
      reason: z.string().optional(),
      keys: z.array(keySchema),
    }),
  ),
});
export type KeysView = z.infer<typeof keysViewSchema>;
