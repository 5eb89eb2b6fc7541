/// <reference types="jest" />
import type { Work } from '../runtime.js';
import type { Given } from '../../testing/runtime-harness.js';
import { mapRange, pagesOf, runPart, splitWork, step } from '../../testing/runtime-parts.js';
import type { LackingScripts } from '../../testing/runtime-scripts.js';

const pages = pagesOf({ text: '1\n' });
const works: Readonly<Record<keyof LackingScripts['cannot'], Work>> = {
  split: splitWork(),
  reduce: { ...step, kind: 'reduce', pages },
  gather: { ...step, kind: 'gather', merge: false, keyed: false, pages },
  main: { ...step, kind: 'main' },
  hook: { ...step, kind: 'hook', decisionId: 'd', leaseMs: 60_000, about: { error: { code: 'X', message: 'x' } } },
  pairs: mapRange(0, 1, 4),
};

export function lackingRules({ fresh, code, load }: Given, scripts: LackingScripts): void {
  describe('what it has not got', () => {
    it.each(Object.entries(scripts.cannot))('%s: it says so, and goes on', async (kind, words) => {
      const { worker } = await load(scripts.identity);
      const { end } = await runPart(worker, works[kind as keyof typeof works]);
      expect(end).toMatchObject({
        kind: kind === 'pairs' ? 'fatal' : 'failed',
        failure: { message: expect.stringContaining(words) },
      });
      expect((await runPart(worker, mapRange(0, 2))).lines).toEqual(['0', '1']);
    });

    it('is told by its inspection, too', async () => {
      const { worker } = await fresh();
      const { functions } = await worker.inspect(code(scripts.identity));
      const has = Object.entries(functions ?? {}).filter(([, there]) => there);
      expect(has.map(([name]) => name)).toEqual(['map']);
    });
  });
}
