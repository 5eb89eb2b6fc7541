import {
  type Assignment,
  type BlockHead,
  type Failure,
  type JobSpec,
  limits,
  listBlocks,
  resultKind,
} from '@das/contracts';
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
    case 'hook':
      return { ...base, kind: 'hook', ...hookOf(spec, part, inputs) };
  }
}

type Hook = Pick<Extract<Work, { kind: 'hook' }>, 'decisionId' | 'leaseMs' | 'about'>;

/** @throws TypeError for an assignment that no leader of ours makes. */
function hookOf(spec: JobSpec, part: Assignment, { store, signal }: Inputs): Hook {
  const { decision } = part;
  if (decision === undefined) throw new TypeError(`${part.part} without a decision`);
  const base = { decisionId: decision.id, leaseMs: limits.hookLeaseMs };
  if (decision.outcome === 'failed') return { ...base, about: { error: errorOf(decision.failure) } };
  const pages = outputPages(store, part, { kind: resultKind(spec.functions), bucket: 0 }, signal);
  return { ...base, about: { pages } };
}

/** What `on_failure` gets: a plain dict that is never empty. */
const errorOf = (failure: Failure | undefined): Record<string, unknown> => ({
  ...(failure ?? { code: 'ITEM_FAILED', message: 'the job failed; the reason is not known any more' }),
});

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
