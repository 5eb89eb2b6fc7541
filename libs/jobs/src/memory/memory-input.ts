import { type ReplyOf, type RequestOf, limits } from '@das/contracts';
import type * as contracts from '@das/contracts';
import { decideAppend, decideRestart, decideSeal, firstState } from '../core/job-rules-input.js';
import { itemsPage } from '../core/job-rules-pages.js';
import { bundleMissing, checkBlock, checkDigest } from '../ports/checked-input.js';
import { pages, restartNote } from '../ports/pages.js';
import type { WithRaw } from '../ports/result-store.js';
import { freeKey, heldBy, sealKey, takeKey, verdictOn } from './memory-keys.js';
import { type MemoryJob, type MemoryWorld, factsOf, jobOf, moveJob, recordOf, tell, tellState } from './memory-data.js';

type Ask<O> = RequestOf<O>;

export function createJob(
  world: MemoryWorld,
  request: Ask<typeof contracts.createJob>,
  raw: Uint8Array,
): ReplyOf<typeof contracts.createJob> {
  const { spec, codeText, block } = request;
  const existing = world.data.jobs.get(spec.job) ?? heldBy(world, request);
  if (existing) return { job: recordOf(existing), existed: true, ...verdictOn(world, request) };
  if (spec.bundle === undefined) checkDigest('spec.code', spec.code, codeText);
  else if (!world.data.bundles.has(spec.code)) throw bundleMissing(spec.code);
  if (block) checkBlock(block, raw);
  const job: MemoryJob = {
    ...{
      spec,
      ...firstState(request),
      generation: 1,
      cut: 0,
      failure: undefined,
      decision: undefined,
      hookFailure: undefined,
      sandboxes: undefined,
    },
    ...{ createdAt: world.clock.now(), finishedAt: undefined, blocks: block ? [{ ...block, data: raw.slice() }] : [] },
    ...{ parts: new Map(), outputs: new Map(), staged: new Map() },
  };
  if (spec.bundle === undefined) world.data.blobs.set(spec.code, new TextEncoder().encode(codeText));
  world.data.jobs.set(spec.job, job);
  takeKey(world, request);
  tellState(world, job);
  return { job: recordOf(job), existed: false };
}

export function appendBlock(
  world: MemoryWorld,
  request: Ask<typeof contracts.appendBlock>,
  raw: Uint8Array,
): ReplyOf<typeof contracts.appendBlock> {
  const job = jobOf(world, request.job);
  checkBlock(request.block, raw);
  const outcome = decideAppend({
    job: factsOf(job),
    stored: job.blocks[request.block.no],
    blocks: job.blocks.length,
    part: request.attempt && job.parts.get(request.attempt.part),
    request,
  });
  if (outcome === 'stored') {
    job.blocks.push({ ...request.block, data: raw.slice() });
    job.items = request.block.to;
  }
  return { outcome };
}

export function sealJob(world: MemoryWorld, request: Ask<typeof contracts.sealJob>): ReplyOf<typeof contracts.sealJob> {
  const job = jobOf(world, request.job);
  const decision = decideSeal(factsOf(job), request);
  if (decision === 'seal') {
    job.sealed = true;
    sealKey(world, request);
    moveJob(world, job, 'running');
  }
  return { outcome: decision === 'jobEnded' ? 'jobEnded' : 'sealed', job: recordOf(job) };
}

export function abandonJob(world: MemoryWorld, request: Ask<typeof contracts.abandonJob>): Record<string, never> {
  if (world.data.jobs.get(request.job)?.state !== 'submitted') return {};
  world.data.jobs.delete(request.job);
  freeKey(world, request.job);
  return {};
}

export function restartSplit(
  world: MemoryWorld,
  { attempt, why }: Ask<typeof contracts.restartSplit>,
): ReplyOf<typeof contracts.restartSplit> {
  const job = jobOf(world, attempt.job);
  const decision = decideRestart(factsOf(job), job.parts.get(attempt.part), attempt.attempt, attempt.generation);
  if (decision.outcome !== 'restarted') return { outcome: decision.outcome };
  const { generation, part } = decision;
  Object.assign(job, { generation, sealed: false, items: 0, cut: 0, blocks: [] });
  Object.assign(job, { parts: new Map([[part.part, part]]), outputs: new Map(), staged: new Map() });
  tell(world, { event: 'note', job: attempt.job, at: world.clock.now(), message: restartNote(generation, why) });
  tellState(world, job);
  return { outcome: 'restarted', generation };
}

export function readItems(
  world: MemoryWorld,
  request: Ask<typeof contracts.readItems>,
): WithRaw<ReplyOf<typeof contracts.readItems>> {
  const job = jobOf(world, request.job);
  const blocks = request.generation === job.generation ? job.blocks.map((b) => ({ ...b, bytes: b.data })) : [];
  const { to, pieces } = itemsPage(blocks, request.from, request.to, limits.pageBytesMax);
  return { reply: { from: request.from, to }, raw: Buffer.concat(pieces) };
}

export function listBlocks(
  world: MemoryWorld,
  { job: id, generation, after }: Ask<typeof contracts.listBlocks>,
): ReplyOf<typeof contracts.listBlocks> {
  const job = jobOf(world, id);
  const rest = generation === job.generation ? job.blocks.slice(after + 1) : [];
  const page = rest.slice(0, pages.blocksMax).map(({ data, ...head }) => ({ ...head, bytes: data.length }));
  return { blocks: page, more: rest.length > page.length };
}
