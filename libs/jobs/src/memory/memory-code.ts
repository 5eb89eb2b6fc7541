import { Fault, type ReplyOf, type RequestOf, limits } from '@das/contracts';
import type * as contracts from '@das/contracts';
import type { WithRaw } from '../ports/result-store.js';
import type { MemoryWorld } from './memory-data.js';

type Ask<O> = RequestOf<O>;

export function findBundle(
  world: MemoryWorld,
  { digest }: Ask<typeof contracts.findBundle>,
): ReplyOf<typeof contracts.findBundle> {
  const bundle = world.data.bundles.get(digest);
  return bundle === undefined ? {} : { bundle };
}

export function putBundleChunk(
  world: MemoryWorld,
  { digest, chunk }: Ask<typeof contracts.putBundleChunk>,
  raw: Uint8Array,
): Record<string, never> {
  if (raw.length > limits.pageBytesMax) throw new Fault('PAYLOAD_TOO_LARGE', `a chunk has ${raw.length} bytes`);
  const chunks = world.data.chunks.get(digest) ?? new Map<number, Uint8Array>();
  world.data.chunks.set(digest, chunks.set(chunk, raw.slice()));
  return {};
}

export function sealBundle(
  world: MemoryWorld,
  { digest, bundle }: Ask<typeof contracts.sealBundle>,
): ReplyOf<typeof contracts.sealBundle> {
  const chunks = world.data.chunks.get(digest);
  for (let chunk = 0; chunk < bundle.chunks; chunk += 1)
    if (chunks?.has(chunk) !== true) return { outcome: 'incomplete' };
  world.data.bundles.set(digest, bundle);
  return { outcome: 'sealed' };
}

export function doubtBundle(world: MemoryWorld, { digest }: Ask<typeof contracts.doubtBundle>): Record<string, never> {
  world.data.bundles.delete(digest);
  return {};
}

export function readBlob(
  world: MemoryWorld,
  { digest, chunk }: Ask<typeof contracts.readBlob>,
): WithRaw<ReplyOf<typeof contracts.readBlob>> {
  const bundled = world.data.chunks.get(digest);
  if (bundled !== undefined) {
    const raw = bundled.get(chunk);
    return { reply: { found: raw !== undefined, chunks: bundled.size }, raw: raw ?? new Uint8Array() };
  }
  const blob = world.data.blobs.get(digest);
  const size = limits.pageBytesMax;
  const chunks = blob ? Math.max(1, Math.ceil(blob.length / size)) : 0;
  const raw = blob?.subarray(chunk * size, (chunk + 1) * size) ?? new Uint8Array();
  return { reply: { found: blob !== undefined && chunk < chunks, chunks }, raw };
}
