import type { JobId, NodeId, PartId } from '@das/kernel';
import { z } from 'zod';
import { limits } from './limits.js';

const token = /^[A-Za-z0-9_-]{1,64}$/;

export const nodeIdSchema = z
  .string()
  .regex(token)
  .describe('name of a node')
  .transform((s) => s as NodeId) as unknown as z.ZodType<NodeId>;
export const jobIdSchema = z
  .string()
  .regex(token)
  .describe('id of a job')
  .transform((s) => s as JobId) as unknown as z.ZodType<JobId>;
export const partIdSchema = z
  .string()
  .regex(/^(split|map|reduce|gather|main|hook):\d+-\d+(~\d+)?$/)
  .describe('id of a part: <kind>:<from>-<to>, with ~<tries> after a retry')
  .transform((s) => s as PartId) as unknown as z.ZodType<PartId>;

/** A whole number that is safe in JSON and in Postgres `bigint`. */
export const count = (what: string): z.ZodType<number> =>
  z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).describe(what);
export const bundlePathSchema = z
  .string()
  .min(1)
  .max(limits.bundlePathChars)
  .describe('path of a file in a bundle, parted by /');
export const digestSchema = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .describe('SHA-256 of the bytes, in hex');
