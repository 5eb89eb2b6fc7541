import type { z } from 'zod';

/** One route of the REST interface. */
export interface Route {
  readonly id: string;
  readonly method: 'get' | 'post' | 'put' | 'delete';
  readonly path: string;
  readonly summary: string;
  /** Of the path; absent: `{id}`, if there, is a job's. */
  readonly pathParameters?: z.ZodType;
  readonly query?: z.ZodType;
  readonly headers?: z.ZodType;
  readonly body?: object;
  readonly responses: object;
  /** Needs no token. */
  readonly open?: boolean;
}

export const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });
export const json = (description: string, name: string) => ({
  description,
  content: { 'application/json': { schema: ref(name) } },
});
export const text = (description: string, type: string) => ({
  description,
  content: { [type]: { schema: { type: 'string' } } },
});
