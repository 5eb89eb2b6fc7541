import { z } from 'zod';
import { nodeIdSchema } from '../ids.js';
import { operation } from '../operation.js';

/* Terms of the leadership (port TermAuthority, DESIGN §5). */

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
