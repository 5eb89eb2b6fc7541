import { Fault } from '@das/contracts';
import type { z } from 'zod';

/** A body that fits the schema, defaults filled in. @throws Fault REQUEST_INVALID naming the first field that does not fit, and what is expected there. */
export function validRequest<Body>(schema: z.ZodType<Body>, body: unknown, name: string): Body {
  const read = schema.safeParse(body);
  if (read.success) return read.data;
  const { field, expected } = firstIssue(read.error);
  throw new Fault('REQUEST_INVALID', `${name}: ${field === '' ? 'the body' : field}: ${expected}`, { field, expected });
}

/** @throws Fault INTERNAL: the two sides disagree about the contract, a defect of ours or an older version. */
export function validReply<Body>(schema: z.ZodType<Body>, body: unknown, name: string): Body {
  const read = schema.safeParse(body);
  if (read.success) return read.data;
  const { field, expected } = firstIssue(read.error);
  throw new Fault('INTERNAL', `the answer to ${name} does not fit its contract: ${field}: ${expected}`, {
    field,
    expected,
    hint: 'are all nodes of the same version?',
  });
}

/** Path and expectation of a schema's first complaint; of a union, of the branch that fits best. */
export function firstIssue(error: z.core.$ZodError): { field: string; expected: string } {
  const issue = deepest(error.issues);
  return { field: pathText(issue?.path ?? []), expected: issue?.message ?? 'another value' };
}

function deepest(issues: readonly z.core.$ZodIssue[]): z.core.$ZodIssue | undefined {
  const [first] = issues;
  if (first?.code !== 'invalid_union') return first;
  const branches = first.errors.map(deepest).filter((issue) => issue !== undefined);
  const best = branches.reduce<z.core.$ZodIssue | undefined>(
    (found, issue) => (found === undefined || issue.path.length > found.path.length ? issue : found),
    undefined,
  );
  return best === undefined || best.path.length === 0 ? first : { ...best, path: [...first.path, ...best.path] };
}

const pathText = (path: readonly PropertyKey[]): string => path.map(String).join('.').slice(0, 200);
