import { Fault, jobIdSchema, jobStateSchema, lockTokenSchema, partIdSchema, shapeFault } from '@das/contracts';
import { z } from 'zod';

/** How long `?wait=` may hold a request. Longer waits go through `/events`. */
export const waitMsMax = 300_000;

/** `?follow`, `?follow=1` and `?follow=true` are yes. */
const flag = z.enum(['', '0', '1', 'true', 'false']).transform((text) => text !== '0' && text !== 'false');
const limit = (otherwise: number) => z.coerce.number().int().min(1).max(1000).default(otherwise);

export const submitQuery = z.strictObject({
  wait: z
    .string()
    .optional()
    .describe('for example 30s or 500ms, at most 300s: answer when the job has ended, or then'),
  results: flag.default(false).describe('with wait: answer with the result (NDJSON) instead of the job'),
});
export const listQuery = z.strictObject({
  state: jobStateSchema.optional(),
  limit: limit(50),
  cursor: z.string().max(200).optional().describe('`next` of the page before'),
});
export const partsQuery = z.strictObject({
  limit: limit(200),
  after: partIdSchema.optional().describe('`next` of the page before'),
});
export const followQuery = z.strictObject({ follow: flag.default(false).describe('go on until the job ends') });
export const lockQuery = z.strictObject({ token: lockTokenSchema });
export const noQuery = z.strictObject({});
export const jobPath = z.object({ id: jobIdSchema.describe('a job id, or `last` for the newest job') });

/** @throws Fault REQUEST_INVALID naming the parameter. */
export function parseQuery<T>(schema: z.ZodType<T>, query: unknown): T {
  const parsed = schema.safeParse(query);
  if (!parsed.success)
    throw shapeFault(parsed.error, 'the query', 'GET /openapi.json lists the parameters of each route');
  return parsed.data;
}

const unitMs = { ms: 1, s: 1_000, m: 60_000 } as const;

/** `30s`, `500ms`, `1m` or `30` (seconds) in ms. @throws Fault REQUEST_INVALID. */
export function parseWait(text: string): number {
  const match = /^(\d{1,6}(?:\.\d{1,3})?)(ms|s|m)?$/.exec(text);
  const ms = match === null ? NaN : Number(match[1]) * unitMs[(match[2] ?? 's') as keyof typeof unitMs];
  if (ms <= waitMsMax) return ms;
  throw new Fault('REQUEST_INVALID', `wait: ${JSON.stringify(text.slice(0, 40))} is not a time to wait`, {
    field: 'wait',
    expected: 'a time like 30s or 500ms, at most 300s',
    hint: 'follow /v1/jobs/{id}/events to wait longer',
  });
}
