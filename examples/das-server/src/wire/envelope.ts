import { z } from 'zod';

/** The request is not one. State: nothing was done. Correct what `message` names. */
export class MalformedRequestError extends Error {
  constructor(reason: string) {
    super(`malformed request: ${reason}`);
    this.name = 'MalformedRequestError';
  }
}

export interface Envelope {
  readonly action: string;
  readonly input: Readonly<Record<string, unknown>>;
}

const envelope = z.strictObject({ action: z.string().min(1).max(64), input: z.record(z.string(), z.unknown()) });
/** Deeper bodies are refused before anything looks at them, so that no recursion goes deep. */
const depthMax = 64;
const issuesShown = 3;

/**
 * Reads the body of a request, whatever its Content-Type says. Inputs that are `null` count as missing.
 *
 * @throws MalformedRequestError
 */
export function parseEnvelope(body: unknown): Envelope {
  const { action, input } = validate(envelope, parseJson(body));
  return { action, input: Object.fromEntries(Object.entries(input).filter(([, value]) => value !== null)) };
}

/** @throws MalformedRequestError naming the place, as in `input.query.targets[1].name` */
export function validate<T>(schema: z.ZodType<T>, value: unknown, ...path: string[]): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issues = result.error.issues.slice(0, issuesShown);
  throw new MalformedRequestError(
    issues.map((issue) => `${z.core.toDotPath([...path, ...issue.path]) || 'body'}: ${issue.message}`).join('; '),
  );
}

function parseJson(body: unknown): unknown {
  if (typeof body !== 'string' || body === '') throw new MalformedRequestError('the body is empty');
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch (error) {
    throw new MalformedRequestError(`the body is not JSON: ${(error as SyntaxError).message}`);
  }
  if (isDeep(value, 0)) throw new MalformedRequestError(`nested more than ${depthMax} deep`);
  return value;
}

function isDeep(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return depth === depthMax || Object.values(value).some((inner) => isDeep(inner, depth + 1));
}
