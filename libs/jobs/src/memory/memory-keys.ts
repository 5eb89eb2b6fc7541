import type { ReplyOf, RequestOf, createJob, sealJob } from '@das/contracts';
import type { JobId } from '@das/kernel';
import { judgeKey } from '../core/submission-key.js';
import type { MemoryJob, MemoryWorld } from './memory-data.js';

type Create = RequestOf<typeof createJob>;

function judged({ data, clock }: MemoryWorld, { spec, key }: Create): ReturnType<typeof judgeKey> {
  const held = key && data.keys.get(rowOf(key));
  const state = held && data.jobs.get(held.job)?.state;
  return judgeKey(held && { ...held, state }, { job: spec.job, digest: key?.digest }, clock.now());
}

/** The job that the key of a submission stands for already. */
export function heldBy(world: MemoryWorld, request: Create): MemoryJob | undefined {
  if (!request.key || judged(world, request) === 'free') return undefined;
  const held = world.data.keys.get(rowOf(request.key));
  return held && world.data.jobs.get(held.job);
}

/** Why a key gave another job; nothing when the job is the asker's own. */
export function verdictOn(world: MemoryWorld, request: Create): Pick<ReplyOf<typeof createJob>, 'key'> {
  const verdict = judged(world, request);
  if (!request.key || verdict === 'free' || verdict === 'own') return {};
  const digest = world.data.keys.get(rowOf(request.key))?.digest;
  return { key: { verdict, ...(digest !== undefined && { digest }) } };
}

export function takeKey({ data, clock }: MemoryWorld, { spec, key }: Create): void {
  if (key) data.keys.set(rowOf(key), { job: spec.job, digest: key.digest, createdAt: clock.now() });
}

/** The whole body is known. */
export function sealKey({ data }: MemoryWorld, { job, digest }: RequestOf<typeof sealJob>): void {
  for (const held of data.keys.values()) if (held.job === job) held.digest = digest;
}

export function freeKey({ data }: MemoryWorld, job: JobId): void {
  for (const [row, held] of data.keys) if (held.job === job) data.keys.delete(row);
}

/** Neither owner nor key has a space. */
const rowOf = ({ owner, key }: { owner: string; key: string }): string => `${owner} ${key}`;
