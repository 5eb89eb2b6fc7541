import { type Assignment, type BlockHead, type JobSpec, listBlocks } from '@das/contracts';
import type { Pages, Work } from '@das/execution';
import { outputPages } from './pages.js';
import type { StoreClient } from './store-client.js';

interface Inputs {
  readonly store: StoreClient;
  readonly signal: AbortSignal;
  /** Items of a map whose input is stored. */
  readonly pages: Pages | undefined;
  readonly traceparent: string | undefined;
}

/** An assignment as work for a worker, with where its input comes from. */
export function workOf(spec: JobSpec, part: Assignment, inputs: Inputs): Work {
  const { store, signal } = inputs;
  const base = {
    part: part.part,
    attempt: part.attempt,
    range: { from: part.from, to: part.to },
    traceparent: inputs.traceparent,
  };
  const { reduce, gather } = spec.functions;
  switch (part.kind) {
    case 'map':
      return { ...base, kind: 'map', buckets: reduce ? spec.limits.buckets : 0, items: itemsOf(spec, inputs.pages) };
    case 'split':
      return { ...base, kind: 'split', stored: storedBlocks(store, part, signal) };
    case 'reduce':
      return {
        ...base,
        kind: 'reduce',
        pages: outputPages(store, part, { kind: 'shuffle', bucket: part.from }, signal),
      };
    case 'gather': {
      const pages = outputPages(store, part, { kind: reduce ? 'reduce' : 'map', bucket: 0 }, signal);
      return { ...base, kind: 'gather', pages, merge: reduce && !gather, keyed: reduce };
    }
    case 'main':
      return { ...base, kind: 'main' };
  }
}

function itemsOf(spec: JobSpec, pages: Pages | undefined): { base: number } | { pages: Pages } {
  if (spec.input.kind === 'range') return { base: spec.input.from };
  return { pages: pages ?? (async () => undefined) };
}

/** Heads of the blocks that earlier attempts of `split` stored, page by page. */
function storedBlocks(
  store: StoreClient,
  { job, generation }: Assignment,
  signal: AbortSignal,
): () => Promise<readonly BlockHead[] | undefined> {
  let after = -1;
  let more = true;
  return async () => {
    if (!more) return undefined;
    const { body } = await store.ask(listBlocks, { job, generation, after }, signal);
    after = body.blocks.at(-1)?.no ?? after;
    more = body.more && body.blocks.length > 0;
    return body.blocks.map(({ no, from, to, digest }) => ({ no, from, to, digest }));
  };
}
