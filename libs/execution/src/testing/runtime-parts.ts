import type { BlockHead } from '@das/contracts';
import type { ScriptFailure } from '../core/failures.js';
import type { Page, RunEnd, RuntimeWorker, Work, WorkSink } from '../ports/runtime.js';

/** What a part gave. */
export interface Heard {
  end: RunEnd;
  lines: string[];
  failures: Array<ScriptFailure & { item: number }>;
  pairs: Array<[bucket: number, line: string]>;
  blocks: Array<BlockHead & { text: string }>;
  received: number;
}

const linesOf = (raw: Uint8Array): string[] => Buffer.from(raw).toString().split('\n').slice(0, -1);

/** Runs one part and collects what it gives. */
export async function runPart(worker: RuntimeWorker, work: Work, sink: Partial<WorkSink> = {}): Promise<Heard> {
  const heard = { lines: [], failures: [], pairs: [], blocks: [], received: work.range.from } as unknown as Heard;
  heard.end = await worker.run(work, {
    results: (items, lines) => {
      heard.received += items;
      heard.lines.push(...linesOf(lines));
    },
    pairs: (items, buckets) => {
      heard.received += items;
      for (const { bucket, lines } of buckets)
        heard.pairs.push(...linesOf(lines).map((line): [number, string] => [bucket, line]));
    },
    failed: (item, failure) => {
      heard.received = item + 1;
      heard.failures.push({ ...failure, item });
    },
    lines: (lines) => void heard.lines.push(...linesOf(lines)),
    block: async (head, lines) => void heard.blocks.push({ ...head, text: Buffer.from(lines).toString() }),
    lock: async ({ name }) => ({ refusal: 'over', why: `nobody gives ${name} here` }),
    ...sink,
  });
  return heard;
}

/** Pages one after the other; each counts its lines unless told. */
export const pagesOf = (...pages: Array<Partial<Page> & { text: string }>): (() => Promise<Page | undefined>) => {
  const left = pages.map(({ text, count, source = 0 }) => {
    const raw = Buffer.from(text);
    return { raw, source, count: count ?? linesOf(raw).length };
  });
  return async () => left.shift();
};

/** What every part has in common. */
export const base = { part: 'map:0-1', attempt: 1 };
/** `map` over integers. */
export const mapRange = (from: number, to: number, buckets = 0): Work => ({
  ...{ ...base, kind: 'map', range: { from, to }, buckets },
  items: { base: 0 },
});
/** `map` over items given as JSON. */
export const mapItems = (items: readonly string[], buckets = 0): Work => ({
  ...{ ...base, kind: 'map', range: { from: 0, to: items.length }, buckets },
  items: { pages: pagesOf({ text: items.map((item) => `${item}\n`).join('') }) },
});
/** What every step has in common. */
export const step = { ...base, range: { from: 0, to: 1 } };
/** `split`, with the blocks that an earlier attempt stored. */
export const splitWork = (stored: readonly BlockHead[] = []): Work => {
  const pages = stored.length === 0 ? [] : [stored];
  return { ...step, kind: 'split', stored: async () => pages.shift() };
};
