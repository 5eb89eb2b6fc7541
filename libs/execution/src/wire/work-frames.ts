import type { Pages, Work } from '../ports/runtime.js';

/** The head that a part begins with; the other end is python/das_worker/main.py. */
export function beginning(work: Work): Record<string, unknown> {
  const base = {
    kind: work.kind,
    part: work.part,
    attempt: work.attempt,
    traceparent: work.traceparent,
    from: work.range.from,
    to: work.range.to,
  };
  if (work.kind === 'gather') return { ...base, merge: work.merge, keyed: work.keyed };
  if (work.kind === 'hook') {
    const error = 'error' in work.about ? { error: work.about.error } : {};
    return { ...base, decisionId: work.decisionId, leaseMs: work.leaseMs, ...error };
  }
  if (work.kind !== 'map') return base;
  return { ...base, buckets: work.buckets, base: 'base' in work.items ? work.items.base : undefined };
}

/** What a step that is fed reads; `main` and `on_failure` are not. */
export function pagesFor(work: Exclude<Work, { kind: 'map' | 'split' }>): Pages | undefined {
  if (work.kind === 'main') return undefined;
  if (work.kind !== 'hook') return work.pages;
  return 'pages' in work.about ? work.about.pages : undefined;
}
