import type { LockHolder, LockOwner, ReplyOf, RequestOf, acquireLock, releaseLock, renewLock } from '@das/contracts';

/** A lock as the store keeps it; without a holder it was released. `until`: the store's clock (ms). */
export interface StoredLock {
  /** The fence of the newest holder. */
  readonly fence: number;
  readonly holder: LockHolder | undefined;
  readonly until: number;
}

/** What a decision writes, if anything, and what it answers. */
export interface LockDecision<Reply> {
  readonly write?: StoredLock;
  readonly reply: Reply;
}

export interface AcquireInput {
  /** Undefined: the name was never taken, or so long ago that it is forgotten. */
  readonly stored: StoredLock | undefined;
  /** The highest fence of all names that are forgotten. */
  readonly floor: number;
  readonly request: RequestOf<typeof acquireLock>;
  /** The attempt that asks is live; `true` of a client. */
  readonly askerLive: boolean;
  /** The stored holder's attempt is live; `true` of a client. */
  readonly holderLive: boolean;
  readonly now: number;
}

const ownerOf = (holder: LockHolder): LockOwner => (holder.kind === 'client' ? { kind: 'client' } : holder);
const endOf = (until: number, now: number) => ({ expiresAt: until, leftMs: until - now });

/** A lock goes to whoever asks while nobody holds it; its holder keeps the fence and gets a new limit. */
export function decideAcquire(input: AcquireInput): LockDecision<ReplyOf<typeof acquireLock>> {
  const { stored, floor, request, askerLive, holderLive, now } = input;
  if (!askerLive) return { reply: { outcome: 'staleAttempt' } };
  const holder = holderAt(stored, now);
  const mine = holder !== undefined && sameHolder(holder, request.holder);
  if (stored !== undefined && holder !== undefined && !mine && holderLive)
    return { reply: { outcome: 'held', by: ownerOf(holder), ...endOf(stored.until, now) } };
  const last = stored?.fence ?? floor;
  const fence = mine ? last : last + 1;
  const write = { fence, holder: request.holder, until: now + request.limitMs };
  return { write, reply: { outcome: 'acquired', fence, ...endOf(write.until, now) } };
}

/** A new limit for whoever holds the lock, as long as the old one is not over: after that the next holder may be anybody. */
export function decideRenew(
  stored: StoredLock | undefined,
  request: RequestOf<typeof renewLock>,
  askerLive: boolean,
  now: number,
): LockDecision<ReplyOf<typeof renewLock>> {
  if (!askerLive || stored === undefined || !holds(stored, request, now)) return { reply: { outcome: 'lost' } };
  const until = now + request.limitMs;
  return {
    write: { ...stored, until },
    reply: { outcome: 'renewed', fence: stored.fence, ...endOf(until, now) },
  };
}

/** The fence stays behind: the next holder's is higher. */
export function decideRelease(
  stored: StoredLock | undefined,
  request: RequestOf<typeof releaseLock>,
  now: number,
): LockDecision<ReplyOf<typeof releaseLock>> {
  if (stored === undefined || !holds(stored, request, now)) return { reply: { outcome: 'notHeld' } };
  return { write: { fence: stored.fence, holder: undefined, until: now }, reply: { outcome: 'released' } };
}

/** The holder whose limit is not over. */
export function holderAt(stored: StoredLock | undefined, now: number): LockHolder | undefined {
  return stored !== undefined && stored.until > now ? stored.holder : undefined;
}

function holds(stored: StoredLock, asked: { holder: LockHolder; fence?: number | undefined }, now: number): boolean {
  const holder = holderAt(stored, now);
  if (holder === undefined || !sameHolder(holder, asked.holder)) return false;
  return asked.fence === undefined || asked.fence === stored.fence;
}

/** An attempt is the same whatever node says so: the number is given once in its part's life. */
export function sameHolder(a: LockHolder, b: LockHolder): boolean {
  if (a.kind === 'client' || b.kind === 'client')
    return a.kind === 'client' && b.kind === 'client' && a.token === b.token;
  return a.job === b.job && a.generation === b.generation && a.part === b.part && a.attempt === b.attempt;
}
