import type { z } from 'zod';
import { Fault } from './errors.js';

type Issue = z.core.$ZodIssue;

/** The first thing wrong with a value, as a fault that names the field, what was expected, and what to do: the same words for REST and for the bus. */
export function shapeFault(error: z.core.$ZodError, what: string, hint?: string): Fault {
  const issue = innermost(error.issues[0]);
  if (issue === undefined) return new Fault('REQUEST_INVALID', `${what} is not valid`);
  if (issue.code === 'unrecognized_keys') return unknownField(issue, what);
  const field = issue.path.map(String).join('.');
  const named = field === '' ? what : `${what}: ${field}`;
  return new Fault('REQUEST_INVALID', `${named}: ${wordsOf(issue)}`, {
    field: field === '' ? undefined : field,
    expected: expectation(issue),
    hint,
  });
}

/** `expected object, got nothing`, where the schema library says `Invalid input: expected object, received undefined`. */
function wordsOf({ message }: Issue): string {
  return message
    .replace(/^Invalid input: /, '')
    .replace(/, received (\w+)$/, (_, got: string) => `, got ${got === 'undefined' ? 'nothing' : got}`);
}

function unknownField(issue: Issue & { code: 'unrecognized_keys' }, what: string): Fault {
  const field = [...issue.path, issue.keys[0]].map(String).join('.');
  return new Fault('REQUEST_INVALID', `${what}: there is no field ${field}`, {
    field,
    expected: 'only fields of the schema',
    hint: 'GET /openapi.json lists the fields',
  });
}

/** Of a union, the branch the value came closest to; where each misses a field's name, that name is what is wrong. */
function innermost(issue: Issue | undefined): Issue | undefined {
  if (issue?.code !== 'invalid_union') return issue;
  const known = issue.errors.filter((branch) => !branch.some(isUnknownField));
  const deepest = known.flat().sort((a, b) => b.path.length - a.path.length)[0];
  const closest = deepest ?? issue.errors.flat().find(isUnknownField);
  if (closest === undefined || (closest.path.length === 0 && !isUnknownField(closest))) return issue;
  return innermost({ ...closest, path: [...issue.path, ...closest.path] });
}

const isUnknownField = (issue: Issue): boolean => issue.code === 'unrecognized_keys';

function expectation(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.expected;
    case 'too_small':
      return `at least ${String(issue.minimum)}`;
    case 'too_big':
      return `at most ${String(issue.maximum)}`;
    case 'invalid_value':
      return `one of ${issue.values.map((value) => JSON.stringify(value)).join(', ')}`;
    default:
      return issue.message;
  }
}
