/// <reference types="jest" />
import type { Work } from '../runtime.js';
import type { Given } from '../../testing/runtime-harness.js';
import { goldenKeys } from '../../testing/golden-keys.js';
import { type Heard, mapItems, pagesOf, runPart, step } from '../../testing/runtime-parts.js';
import type { RuntimeScripts } from '../../testing/runtime-scripts.js';

export function stepRules({ it, load }: Given, scripts: RuntimeScripts): void {
  describe('reduce and gather', () => {
    it('gives combined pairs by bucket, each key in one bucket wherever it is mapped', async () => {
      const { worker } = await load(scripts.wordCount);
      const one = await runPart(worker, mapItems(['"a b a"', '"b ü a"'], 7));
      expect(one.pairs.map(([, line]) => line).sort()).toEqual(['["a",3]', '["b",2]', '["ü",1]']);
      const other = await runPart((await load(scripts.wordKeys)).worker, mapItems(['"ü b"'], 7));
      const bucketOf = (pairs: Heard['pairs'], key: string): number | undefined =>
        pairs.find(([, line]) => line.startsWith(`["${key}"`))?.[0];
      expect(bucketOf(other.pairs, 'ü')).toBe(bucketOf(one.pairs, 'ü'));
      expect(bucketOf(other.pairs, 'b')).toBe(bucketOf(one.pairs, 'b'));
    });

    it('reduces keys in their order, with values in item order', async () => {
      const { worker } = await load(scripts.wordCount);
      const pairs = ['["b",1]', '[[1,2],1]', '["a",2]', '[null,1]', '[true,1]', '[10,1]', '[9.5,1]', '["b",3]'];
      const cut = pairs.join('\n').length - 3;
      const text = `${pairs.join('\n')}\n`;
      const pages = pagesOf({ text: text.slice(0, cut) }, { text: text.slice(cut) });
      const { lines, end } = await runPart(worker, { ...step, kind: 'reduce', pages });
      expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
        { key: null, value: 1 },
        { key: true, value: 1 },
        { key: 9.5, value: 1 },
        { key: 10, value: 1 },
        { key: 'a', value: 2 },
        { key: 'b', value: 4 },
        { key: [1, 2], value: 1 },
      ]);
      expect(end).toEqual({ kind: 'ended', items: 7 });
    });

    it('gives keys the text, the bucket and the order that every other language gives them', async () => {
      const { worker } = await load(scripts.keyed);
      const items = goldenKeys.map(([item]) => item);
      for (const [buckets, column] of [
        [7, 2],
        [1024, 3],
      ] as const) {
        const { pairs } = await runPart(worker, mapItems(items, buckets));
        const expected = goldenKeys.map((key) => [key[column], `[${key[1]},1]`]);
        expect(pairs.map((pair) => JSON.stringify(pair)).sort()).toEqual(
          expected.map((pair) => JSON.stringify(pair)).sort(),
        );
      }
      const distinct = [...new Set(goldenKeys.map(([, text]) => text))];
      const pages = pagesOf({
        text: distinct
          .toReversed()
          .map((text) => `[${text},1]\n`)
          .join(''),
      });
      const { lines } = await runPart(worker, { ...step, kind: 'reduce', pages });
      expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(
        distinct.map((text) => ({ key: JSON.parse(text) as unknown, value: 1 })),
      );
    });

    it('merges sorted buckets when the script has no gather', async () => {
      const { worker } = await load(scripts.wordCount);
      const line = (key: string): string => `{"key":"${key}","value":1}\n`;
      const pages = pagesOf({ source: 0, text: line('b') + line('d') }, { source: 5, text: line('a') + line('c') });
      const { lines } = await runPart(worker, { ...step, kind: 'gather', merge: true, keyed: true, pages });
      expect(lines.map((text) => (JSON.parse(text) as { key: string }).key)).toEqual(['a', 'b', 'c', 'd']);
    });

    it('gathers reduced lines in key order', async () => {
      const { worker } = await load(scripts.wordKeys);
      const pages = pagesOf(
        { source: 0, text: '{"key":"b","value":1}\n' },
        { source: 1, text: '{"key":"a","value":1}\n' },
      );
      const { lines } = await runPart(worker, { ...step, kind: 'gather', merge: false, keyed: true, pages });
      expect(lines).toEqual(['"a"', '"b"']);
    });

    it('gathers all results, or none, and leaves nothing out of many', async () => {
      const { worker } = await load(scripts.identity);
      const gather = (text: string): Work => ({
        ...step,
        kind: 'gather',
        merge: false,
        keyed: false,
        pages: pagesOf({ text }),
      });
      expect((await runPart(worker, gather(''))).lines).toEqual([]);
      const many = Array.from({ length: 200_000 }, (_, n) => `{"n":${n}}`);
      const { lines } = await runPart(worker, gather(`${many.join('\n')}\n`));
      expect(lines).toEqual(many);
    }, 20_000);

    it('runs main with its parameters', async () => {
      const { worker } = await load(scripts.identity, { p: 'ä' });
      expect((await runPart(worker, { ...step, kind: 'main' })).lines).toEqual(['{"p":"ä"}']);
    });

    it('tells a failing step', async () => {
      const { worker } = await load(scripts.wordCount);
      const pages = pagesOf({ text: '["a","no number"]\n' });
      expect((await runPart(worker, { ...step, kind: 'reduce', pages })).end).toMatchObject({
        kind: 'failed',
        failure: { message: expect.stringContaining('reduce') },
      });
    });
  });
}
