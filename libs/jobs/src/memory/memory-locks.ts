import type { LockHolder, ReplyOf, RequestOf } from '@das/contracts';
import type * as contracts from '@das/contracts';
import { attemptLive } from '../core/job-rules-input.js';
import { type LockDecision, decideAcquire, decideRelease, decideRenew } from '../core/lock-rules.js';
import type { MemoryWorld } from './memory-data.js';

type Ask<O> = RequestOf<O>;

export function acquireLock(
  world: MemoryWorld,
  request: Ask<typeof contracts.acquireLock>,
): ReplyOf<typeof contracts.acquireLock> {
  const { locks, fenceFloor: floor } = world.data;
  const stored = locks.get(request.name);
  const askerLive = isLive(world, request.holder);
  const holderLive = isLive(world, stored?.holder);
  const now = world.clock.now();
  return kept(world, request.name, decideAcquire({ stored, floor, request, askerLive, holderLive, now }));
}

export function renewLock(
  world: MemoryWorld,
  request: Ask<typeof contracts.renewLock>,
): ReplyOf<typeof contracts.renewLock> {
  const stored = world.data.locks.get(request.name);
  return kept(world, request.name, decideRenew(stored, request, isLive(world, request.holder), world.clock.now()));
}

export function releaseLock(
  world: MemoryWorld,
  request: Ask<typeof contracts.releaseLock>,
): ReplyOf<typeof contracts.releaseLock> {
  return kept(world, request.name, decideRelease(world.data.locks.get(request.name), request, world.clock.now()));
}

export function forgetLocks({ data, clock }: MemoryWorld, keptMs: number): void {
  for (const [name, { until, fence }] of data.locks) {
    if (until >= clock.now() - keptMs) continue;
    data.locks.delete(name);
    data.fenceFloor = Math.max(data.fenceFloor, fence);
  }
}

function kept<Reply>({ data }: MemoryWorld, name: string, { write, reply }: LockDecision<Reply>): Reply {
  if (write !== undefined) data.locks.set(name, write);
  return reply;
}

function isLive({ data }: MemoryWorld, holder: LockHolder | undefined): boolean {
  if (holder?.kind !== 'attempt') return holder !== undefined;
  const job = data.jobs.get(holder.job);
  return job !== undefined && attemptLive(job, job.parts.get(holder.part), holder);
}
