/// <reference types="jest" />
import type { Work } from '../runtime.js';
import type { Given } from '../../testing/runtime-harness.js';
import { base, mapItems, mapRange, pagesOf, runPart } from '../../testing/runtime-parts.js';
import type { FilterScripts } from '../../testing/runtime-scripts.js';

export function itemRules({ it, load, mapped }: Given, scripts: FilterScripts): void {
  describe('items and results', () => {
    it('gives one result per item, in order, from integers and from pages', async () => {
      const { worker } = await load(scripts.identity);
      const numbers = await runPart(worker, mapRange(5, 1005));
      expect(numbers.lines).toEqual(Array.from({ length: 1000 }, (_, n) => String(n + 5)));
      const items = ['{"a":"ä"}', '""', 'null', '[1,[2]]', '1.5', `"${'x'.repeat(600_000)}"`, '{}'];
      const paged = await runPart(worker, mapItems(items));
      expect(paged.lines).toEqual(items);
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

    it('takes items however large, empty, or strange', async () => {
      const items = [
        JSON.stringify('x'.repeat(1024 * 1024 - 1100)),
        '""',
        '[]',
        '{"":""}',
        '"\\u0000\\u001f"',
        '"😀 e\u0301 \u202e \ufeff"',
        '-0.5',
        '9007199254740991',
        JSON.stringify('ü'.repeat(500_000)),
      ];
      const { lines, end } = await mapped(scripts.identity, mapItems(items));
      expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(
        items.map((item) => JSON.parse(item) as unknown),
      );
      expect(end.kind).toBe('ended');
    });

    it('takes a part without items', async () => {
      const { lines, end } = await mapped(scripts.identity, mapRange(7, 7));
      expect([lines, end]).toEqual([[], { kind: 'ended', items: 0 }]);
    });

    it('runs part after part of its job', async () => {
      const { worker } = await load(scripts.identity);
      for (const from of [0, 10, 20])
        expect((await runPart(worker, mapRange(from, from + 2))).lines).toEqual([`${from}`, `${from + 1}`]);
    });

    it('names an item that is not JSON, and goes on with the next', async () => {
      const { lines, failures } = await mapped(scripts.identity, mapItems(['1', '{oops', '3']));
      expect(lines).toEqual(['1', '3']);
      expect(failures).toMatchObject([{ item: 1, message: expect.stringContaining('not JSON'), itemText: '{oops' }]);
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
      let over = false;
      void running.then(() => (over = true));
      while (!worker.waitsForUs && !over) await new Promise(setImmediate);
      expect(told).toBeLessThan(300_000);
      open();
      expect((await running).end).toEqual({ kind: 'ended', items: 0 });
      expect(told).toBe(300_000);
    });
  });
}
