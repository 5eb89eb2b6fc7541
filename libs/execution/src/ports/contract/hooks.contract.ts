/// <reference types="jest" />
import { nextTurn } from '../../launch/turn.js';
import type { Work } from '../runtime.js';
import type { Given } from '../../testing/runtime-harness.js';
import { mapRange, pagesOf, runPart, step } from '../../testing/runtime-parts.js';
import type { RuntimeScripts } from '../../testing/runtime-scripts.js';

const decisionId = 'j-1-succeeded';
const leaseMs = 60_000;
const succeeded = (...texts: string[]): Work => ({
  ...{ ...step, kind: 'hook', decisionId, leaseMs },
  about: { pages: pagesOf(...texts.map((text) => ({ text }))) },
});
const error = { code: 'ITEM_RAISED', message: 'ValueError: bad', item: 3, itemText: '3', traceback: 'Traceback: ü' };
const failed = (about: Record<string, unknown> = error): Work => ({
  ...{ ...step, kind: 'hook', decisionId: 'j-1-failed', leaseMs, about: { error: about } },
});

export function hookRules({ it, load }: Given, scripts: RuntimeScripts): void {
  describe('hooks', () => {
    it('hand on_success the lines of the result, with their number, as often as wanted; nothing comes of what it gives', async () => {
      const { worker, prints } = await load(scripts.hooks);
      const { lines, end } = await runPart(worker, succeeded('{"n":1}\n[2]\n', '"drei"\n'));
      expect([lines, end]).toEqual([[], { kind: 'ended', items: 3 }]);
      await nextTurn();
      expect(prints()).toContain(`succeeded ${decisionId} 3 [{"n":1},[2],"drei"] [{"n":1},[2],"drei"]`);
      await runPart(worker, succeeded());
      await nextTurn();
      expect(prints()).toContain(`succeeded ${decisionId} 0 [] []`);
    });

    it('hand on_failure the error', async () => {
      const { worker, prints } = await load(scripts.hooks);
      expect((await runPart(worker, failed())).end).toMatchObject({ kind: 'ended' });
      await nextTurn();
      const [, told] = /failed j-1-failed (.*)\n/.exec(prints()) ?? [];
      expect(JSON.parse(told ?? '')).toEqual(error);
    });

    it('tell the id of the decision to the hook only', async () => {
      const { worker } = await load(scripts.hooks);
      await runPart(worker, succeeded());
      expect((await runPart(worker, mapRange(0, 1))).lines).toEqual(['null']);
    });

    it('end by themselves, with what they started, once nobody confirms them any more', async () => {
      const { worker, prints } = await load(scripts.endlessHook);
      // Confirmed until it has run for longer than its lease.
      const confirming = setInterval(() => {
        if (prints().includes(' 170\n')) clearInterval(confirming);
        else worker.confirm();
      }, 50);
      const { end } = await runPart(worker, { ...failed(), leaseMs: 1_500 } as Work);
      clearInterval(confirming);
      expect(prints()).toContain(' 170\n');
      expect(end).toMatchObject({ kind: 'gone', exit: { signal: 'SIGKILL' } });
    }, 20_000);

    it('tell a failure by the name of the function, also of one that the script lacks', async () => {
      const { worker } = await load(scripts.hooks);
      const message = expect.stringMatching(/^on_?[fF]ailure failed: \w*Error: not this one/);
      const end = { kind: 'failed', failure: { message, traceback: expect.stringContaining('not this one') } };
      expect((await runPart(worker, failed({ code: 'RAISE', message: '' }))).end).toMatchObject(end);
      const other = (await load(scripts.identity)).worker;
      const lacking = { message: expect.stringMatching(/no (callable|function) on_?[sS]uccess/) };
      expect((await runPart(other, succeeded())).end).toMatchObject({ kind: 'failed', failure: lacking });
    });
  });
}
