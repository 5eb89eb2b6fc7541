import {
  digestSchema,
  fenceSchema,
  functionsSchema,
  limits,
  lockLimitMsSchema,
  lockLimits,
  lockNameSchema,
} from '@das/contracts';
import { z } from 'zod';
import { scriptFailureCodes } from '../core/failures.js';

/* What a worker says. The script shares its process, so all of it is checked. */

const text = (max: number): z.ZodType<string> => z.string().transform((s) => s.slice(0, max));
const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

export const scriptFailureSchema = z.object({
  code: z.enum(scriptFailureCodes).optional(),
  message: text(limits.messageChars),
  traceback: text(limits.tracebackChars).optional(),
  hint: text(1_000).optional(),
  itemText: text(1_000).optional(),
  unexplained: z.boolean().optional(),
});
export const itemFailedSchema = scriptFailureSchema.extend({ item: count });
export const loadedSchema = z.object({ failure: scriptFailureSchema.nullable() });
export const inspectedSchema = z.object({
  functions: functionsSchema.optional(),
  fault: z
    .object({ file: text(400).optional(), line: count, column: count, text: text(500), message: text(1_000) })
    .optional(),
});
export const toolCallSchema = z.object({ tool: z.string().max(40) });
export const pairsHeadSchema = z.object({ items: count, buckets: z.array(z.tuple([count, count])).max(1024) });
export const blockSchema = z.object({ no: count, from: count, to: count, digest: digestSchema });
export const endSchema = z.object({
  items: count.optional(),
  failure: scriptFailureSchema.optional(),
  fatal: scriptFailureSchema.optional(),
  differs: text(900).optional(),
});

const call = { id: count, name: lockNameSchema };
export const lockCallSchema = z.discriminatedUnion('op', [
  z.object({ op: z.literal('acquire'), ...call, limitMs: lockLimitMsSchema, waitMs: count.max(lockLimits.waitMsMax) }),
  z.object({ op: z.literal('renew'), ...call, fence: fenceSchema, limitMs: lockLimitMsSchema }),
  z.object({ op: z.literal('release'), ...call, fence: fenceSchema.optional() }),
]);
