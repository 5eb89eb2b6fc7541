/// <reference types="jest" />
import type { Work } from '../runtime.js';
import type { Given } from '../../testing/runtime-harness.js';
import { base, mapItems, mapRange, pagesOf, runPart } from '../../testing/runtime-parts.js';
import type { RuntimeScripts } from '../../testing/runtime-scripts.js';

export function itemRules({ it, load, mapped }: Given, scripts: RuntimeScripts): void {
  describe('items and results', () => {
    it('gives one result per item, in order, from integers and from pages', async () => {
      const { worker } = await load(scripts.identity);
      const numbers = await runPart(worker, mapRange(5, 1005));
      expect(numbers.lines).toEqual(Array.from({ length: 1000 }, (_, n) => String(n + 5)));
      const items = ['{"a":"ä\\u2028"}', '""', 'null', '[1,[2]]', '1.5', `"${'x'.repeat(600_000)}"`, '{}'];
      const paged = await runPart(worker, mapItems(items));
      expect(paged.lines).toEqual([`{"a":"ä\u2028"}`, ...items.slice(1)]);
      expect(paged.end).toEqual({ kind: 'ended', items: 0 });
    });

    it('takes a part of several pages', async () => {
      const { worker } = await load(scripts.identity);
      const pages = pagesOf({ text: '1\n2\n' }, { text: '3\n' }, { text: '4\n5\n' });
      const work: Work = { ...base, kind: 'map', range: { from: 10, to: 15 }, buckets: 0, items: { pages } };
      expect((await runPart(worker, work)).lines).toEqual(['1', '2', '3', '4', '5']);
    });

    it('says where it is, without a message', async () => {
      const { worker } = await load(scripts.identity);
      await runPart(worker, mapRange(0, 9));
      expect(worker.position().item).toBe(9);
    });

    it('gives a list for a generator, and waits for what is asynchronous', async () => {
      expect((await mapped(scripts.generator, mapRange(0, 3))).lines).toEqual(['[]', '[0]', '[0,1]']);
      expect((await mapped(scripts.asynchronous, mapRange(0, 3))).lines).toEqual(['0', '2', '4']);
    });

    it('names an item that is not JSON, and goes on with the next', async () => {
      const { lines, failures } = await mapped(scripts.identity, mapItems(['1', '{oops', '3']));
      expect(lines).toEqual(['1', '3']);
      expect(failures).toMatchObject([{ item: 1, message: expect.stringContaining('not JSON'), itemText: '{oops' }]);
    });

    it('takes an item that is nested too deeply for a failed one', async () => {
      const deep = '['.repeat(100_000) + ']'.repeat(100_000);
      const { lines, failures } = await mapped(scripts.identity, mapItems(['1', deep, '3']));
      expect(lines).toEqual(['1', '3']);
      expect(failures.map(({ item }) => item)).toEqual([1]);
    });

    it('takes results that are not JSON, or too large, for failures; and large ones for results', async () => {
      const { lines, failures } = await mapped(scripts.oddResults, mapRange(0, 6));
      expect(failures.map(({ item }) => item)).toEqual([0, 1, 2, 4]);
      expect(failures[0]?.message).toContain('NaN');
      expect(failures[1]?.message).toContain('not JSON');
      expect(failures[3]?.message).toMatch(/the limit is 16777216/);
      expect(JSON.parse(lines[0] ?? '')).toBe('\ud800');
      expect(lines[1]).toBe(`"${'y'.repeat(2 * 1024 * 1024)}"`);
    });

    it('waits for a sink that is slow', async () => {
      const { worker } = await load(scripts.identity);
      let open: () => void = () => undefined;
      const held = new Promise<void>((resolve) => (open = resolve));
      let told = 0;
      const running = runPart(worker, mapRange(0, 300_000), {
        results: (items) => {
          told += items;
          return told === items ? held : undefined;
        },
      });
      while (!worker.waitsForUs) await Promise.race([running, new Promise(setImmediate)]);
      expect(told).toBeLessThan(300_000);
      open();
      expect((await running).end).toEqual({ kind: 'ended', items: 0 });
      expect(told).toBe(300_000);
    });
  });
}
