import { z } from 'zod';
import { handlePattern } from '../core/handles.js';
import type { Conjunction, Pattern, Query, Term } from '../core/query.js';

const targetsMax = 64;

export const handle = z.string().regex(handlePattern, 'expected a handle: 32 hexadecimal digits');
export const name = z.string().min(1).max(4096);

const variableName = z.string().regex(/^\$?\w[\w-]{0,63}$/, 'expected a name such as "v1"');

const node = z.strictObject({ atom_type: z.literal('node'), type: name, name });
const variable = z.strictObject({ atom_type: z.literal('variable'), name: variableName });
const atom = z.strictObject({ atom_type: z.literal('atom'), handle });
const link = z.strictObject({
  atom_type: z.literal('link'),
  type: name,
  targets: some(z.lazy((): z.ZodType<Term> => term)),
});
const term = z.discriminatedUnion('atom_type', [node, variable, atom, link]);

const anyPattern = z.lazy((): z.ZodType<Pattern> => pattern);
const not = z.strictObject({ atom_type: z.literal('not'), targets: z.tuple([anyPattern]) });
const or = z.strictObject({ atom_type: z.literal('or'), targets: some(anyPattern) });
const and = z.strictObject({ atom_type: z.literal('and'), targets: z.lazy((): z.ZodType<Conjunction> => conjunction) });
const pattern = z.discriminatedUnion('atom_type', [node, atom, link, and, or]);
const conjunction = some(z.discriminatedUnion('atom_type', [node, atom, link, and, or, not])).refine(
  (parts) => parts.some((part) => part.atom_type !== 'not'),
  'a "not" filters the answers of other patterns: there must be at least one',
);

/** One pattern, or a list of patterns that must all hold. Chosen by hand: a union would report the faults of both. */
export const querySchema = z.unknown().transform((wire, context): Query => {
  const parsed = (Array.isArray(wire) ? conjunction : pattern).safeParse(wire);
  if (parsed.success) return parsed.data;
  context.issues.push(...parsed.error.issues.map((issue) => ({ ...issue, code: 'custom' as const, input: wire })));
  return z.NEVER;
});

function some<T extends z.ZodType>(item: T): z.ZodArray<T> {
  return z.array(item).min(1).max(targetsMax);
}
