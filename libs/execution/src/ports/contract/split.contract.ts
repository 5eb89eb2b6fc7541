/// <reference types="jest" />
import type { Given } from '../../testing/runtime-harness.js';
import { runPart, splitWork } from '../../testing/runtime-parts.js';
import type { RuntimeScripts } from '../../testing/runtime-scripts.js';

export function splitRules({ it, load }: Given, scripts: RuntimeScripts): void {
  describe('split', () => {
    const yielded = (count: number, sign = 1): string =>
      Array.from({ length: count }, (_, n) => `{"n":${n * sign}}\n`).join('');

    it('yields numbered blocks with digests, waiting for each to be stored', async () => {
      const { worker } = await load(scripts.splits, { count: 70_000, sign: 1 });
      let storing = 0;
      const heard = await runPart(worker, splitWork(), {});
      const again = await load(scripts.splits, { count: 70_000, sign: 1 });
      await runPart(again.worker, splitWork(), {
        block: async () => {
          storing += 1;
          expect(storing).toBe(1);
          await new Promise(setImmediate);
          storing -= 1;
        },
      });
      expect(heard.end).toEqual({ kind: 'ended', items: 70_000 });
      expect(heard.blocks.map(({ text }) => text).join('')).toBe(yielded(70_000));
      expect(heard.blocks.map(({ no }) => no)).toEqual(heard.blocks.map((_, no) => no));
      expect(heard.blocks.every(({ from, to, text }) => text.length <= 256 * 1024 && to - from <= 65_536)).toBe(true);
    }, 20_000);

    it('goes on after the blocks that an earlier attempt stored', async () => {
      const first = await runPart((await load(scripts.splits, { count: 9, sign: 1 })).worker, splitWork());
      const stored = first.blocks.map(({ text: _, ...head }) => head);
      const longer = await load(scripts.splits, { count: 12, sign: 1 });
      const { end, blocks } = await runPart(longer.worker, splitWork(stored));
      expect(end).toEqual({ kind: 'ended', items: 12 });
      expect(blocks.map(({ no, from, to }) => [no, from, to])).toEqual([[stored.length, 9, 12]]);
    });

    for (const [what, count, sign] of [
      ['other items', 9, -1],
      ['fewer items', 5, 1],
    ] as const)
      it(`says that it yields ${what} than an earlier attempt`, async () => {
        const first = await runPart((await load(scripts.splits, { count: 9, sign: 1 })).worker, splitWork());
        const stored = first.blocks.map(({ text: _, ...head }) => head);
        const other = await load(scripts.splits, { count, sign });
        expect((await runPart(other.worker, splitWork(stored))).end.kind).toBe('differs');
      });

    it('yields nothing', async () => {
      const { worker } = await load(scripts.splits, { count: 0, sign: 1 });
      expect(await runPart(worker, splitWork())).toMatchObject({ end: { kind: 'ended', items: 0 }, blocks: [] });
    });
  });
}
