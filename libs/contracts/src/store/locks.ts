import { z } from 'zod';
import { count, nodeIdSchema } from '../ids.js';
import { announcement, operation } from '../operation.js';
import { attemptRefSchema } from './attempt.js';

/* Locks of users: mutual exclusion by name, with a time limit and a fencing token. Time is the database's. */

/** Bounds of locks. */
export const lockLimits = {
  /** How long a lock is held unless it is renewed or released (ms). */
  limitMsDefault: 30_000,
  limitMsMin: 100,
  limitMsMax: 3_600_000,
  /** How long a script may wait for one (ms). */
  waitMsDefault: 60_000,
  waitMsMax: 3_600_000,
  /** A client's request waits no longer than this (ms); it may ask again with the same token. */
  clientWaitMsMax: 30_000,
} as const;

export const lockNameSchema = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/,
    'expected 1 to 128 letters, digits, ".", "_", ":" or "-", the first a letter or digit',
  )
  .describe('name of a lock: 1 to 128 letters, digits, ".", "_", ":" or "-"');
export const lockTokenSchema = z
  .string()
  .regex(/^[A-Za-z0-9._~-]{1,128}$/, 'expected 1 to 128 letters, digits, ".", "_", "~" or "-"')
  .describe('names the holder: whoever has it may renew and release');
export const lockLimitMsSchema = z
  .number()
  .int()
  .min(lockLimits.limitMsMin)
  .max(lockLimits.limitMsMax)
  .default(lockLimits.limitMsDefault)
  .describe('the lock is free after this unless it is renewed (ms)');
export const fenceSchema = z
  .number()
  .int()
  .min(1)
  .max(Number.MAX_SAFE_INTEGER)
  .describe('the fencing token: of one name it only grows, with every new holder');

const attemptHolder = attemptRefSchema.extend({ kind: z.literal('attempt'), node: nodeIdSchema });

/** Who holds a lock: an attempt, for as long as it is live, or a client that knows a token. */
export const lockHolderSchema = z.discriminatedUnion('kind', [
  attemptHolder,
  z.object({ kind: z.literal('client'), token: lockTokenSchema }),
]);
export type LockHolder = z.infer<typeof lockHolderSchema>;

/** A holder as others may see it: without the token, which would let them release. */
export const lockOwnerSchema = z.discriminatedUnion('kind', [attemptHolder, z.object({ kind: z.literal('client') })]);
export type LockOwner = z.infer<typeof lockOwnerSchema>;

const until = {
  expiresAt: count('when its limit is over: ms since 1970, database clock'),
  leftMs: count('how long that is from the answer on (ms)'),
};
const granted = { fence: fenceSchema, ...until };

/**
 * Takes a lock that nobody holds. The same holder again: the same fence and a new limit, so a lost answer costs nothing.
 * Whether the holder's attempt is live is judged in the transaction that asks. `staleAttempt`: the attempt that asks is not live itself.
 */
export const acquireLock = operation(
  'store.acquire-lock',
  z.object({ name: lockNameSchema, holder: lockHolderSchema, limitMs: lockLimitMsSchema }),
  z.discriminatedUnion('outcome', [
    z.object({ outcome: z.literal('acquired'), ...granted }),
    z.object({ outcome: z.literal('held'), by: lockOwnerSchema, ...until }),
    z.object({ outcome: z.literal('staleAttempt') }),
  ]),
);

const held = {
  name: lockNameSchema,
  holder: lockHolderSchema,
  fence: fenceSchema.optional().describe('only if it is still this one'),
};

/** A new limit, from now on. `lost`: the limit is over, or somebody else has the lock. */
export const renewLock = operation(
  'store.renew-lock',
  z.object({ ...held, limitMs: lockLimitMsSchema }),
  z.discriminatedUnion('outcome', [
    z.object({ outcome: z.literal('renewed'), ...granted }),
    z.object({ outcome: z.literal('lost') }),
  ]),
);

/** Gives a lock back. `notHeld`: nothing to do, for example because it was released before. */
export const releaseLock = operation(
  'store.release-lock',
  z.object(held),
  z.object({ outcome: z.enum(['released', 'notHeld']) }),
);

/** A hint for those who wait: the lock was released. Whoever misses it asks again within a second. */
export const lockFreed = announcement('locks.freed', z.object({ name: lockNameSchema }));
