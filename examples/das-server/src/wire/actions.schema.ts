import { z } from 'zod';
import { handle, name, querySchema } from './pattern.schema.js';

/** Items on a page, if the request does not say. */
const chunkSizeDefault = 1000;
const chunkSizeMax = 10_000;
const targetsMax = 64;

const handleOrWildcard = z.string().regex(/^(\*|[0-9a-f]{32})$/, 'expected a handle (32 hexadecimal digits), or "*"');
const paging = {
  cursor: z.int().min(0).optional(),
  chunk_size: z.int().min(1).max(chunkSizeMax).default(chunkSizeDefault),
};
/** What clients send about themselves; it makes no difference to a server that holds everything in memory. */
const ignored = { no_iterator: z.boolean().optional() };

/** One schema per action; unknown keys are refused. */
export const inputs = {
  nothing: z.strictObject({}),
  getAtom: z.strictObject({ handle }),
  getNode: z.strictObject({ node_type: name, node_name: name }),
  getLink: z.strictObject({ link_type: name, link_targets: z.array(handle).min(1).max(targetsMax) }),
  getLinks: z.strictObject({
    link_type: name,
    target_types: z.array(name).min(1).max(targetsMax).optional(),
    link_targets: z.array(handleOrWildcard).min(1).max(targetsMax).optional(),
    kwargs: z.strictObject({ ...paging, ...ignored, toplevel_only: z.boolean().optional() }).prefault({}),
  }),
  getIncomingLinks: z.strictObject({
    atom_handle: handle,
    kwargs: z
      .strictObject({
        ...paging,
        ...ignored,
        targets_document: z.boolean().optional(),
        handles_only: z.boolean().optional(),
      })
      .prefault({}),
  }),
  query: z.strictObject({
    query: querySchema,
    parameters: z
      .strictObject({
        ...paging,
        ...ignored,
        query_scope: z.enum(['remote_only', 'local_only', 'synchronous_update', 'local_and_remote']).optional(),
        toplevel_only: z.boolean().default(false),
        format: z.enum(['string', 'object']).default('string'),
        unique_assignment: z.boolean().default(false),
        unique_value: z.boolean().default(false),
      })
      .prefault({}),
  }),
} as const;

export type Input<K extends keyof typeof inputs> = z.output<(typeof inputs)[K]>;
