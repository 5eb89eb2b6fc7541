import { Fault, shapeFault } from '@das/contracts';
import type { z } from 'zod';

/** A body that fits the schema, defaults filled in. @throws Fault REQUEST_INVALID naming the first field that does not fit, and what is expected there. */
export function validRequest<Body>(schema: z.ZodType<Body>, body: unknown, name: string): Body {
  const read = schema.safeParse(body);
  if (read.success) return read.data;
  throw shapeFault(read.error, name);
}

/** @throws Fault INTERNAL: the two sides disagree about the contract, a defect of ours or an older version. */
export function validReply<Body>(schema: z.ZodType<Body>, body: unknown, name: string): Body {
  const read = schema.safeParse(body);
  if (read.success) return read.data;
  const { message, details } = shapeFault(read.error, `the answer to ${name} does not fit its contract`);
  throw new Fault('INTERNAL', message, { ...details, hint: 'are all nodes of the same version?' });
}
