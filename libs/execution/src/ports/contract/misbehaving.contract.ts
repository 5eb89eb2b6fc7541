/// <reference types="jest" />
import type { Given } from '../../testing/runtime-harness.js';
import { mapRange, runPart } from '../../testing/runtime-parts.js';
import type { RuntimeScripts } from '../../testing/runtime-scripts.js';

export function misbehaviourRules({ it, load, mapped }: Given, scripts: RuntimeScripts): void {
  describe('scripts that misbehave', () => {
    it('gives prints, whatever language they are in', async () => {
      const script = await load(scripts.prints);
      await runPart(script.worker, mapRange(0, 2));
      await new Promise(setImmediate);
      expect(script.prints()).toBe('says äöü 0\nsays äöü 1\n');
    });

    it('goes on without standard output', async () => {
      expect((await mapped(scripts.closesStdout, mapRange(0, 3))).lines).toEqual(['0', '1', '2']);
    });

    it('is not confused by children that the script forks', async () => {
      const { worker } = await load(scripts.forks);
      for (const _ of [1, 2]) {
        const { lines, end } = await runPart(worker, mapRange(0, 3));
        expect([lines, end.kind]).toEqual([['0', '1', '2'], 'ended']);
      }
    });

    it('reads a flood of prints without standing still', async () => {
      const script = await load(scripts.floods);
      const { lines } = await runPart(script.worker, mapRange(0, 2));
      expect(lines.length).toBe(2);
      expect(script.prints().length).toBeGreaterThan(8_000_000);
    }, 20_000);

    it('ends a script that ignores being asked', async () => {
      const script = await load(scripts.ignoresTerm);
      const running = runPart(script.worker, mapRange(0, 1));
      expect(await script.cancel()).toEqual({ code: null, signal: 'SIGKILL' });
      expect((await running).end).toEqual({ kind: 'gone', exit: { code: null, signal: 'SIGKILL' } });
    }, 15_000);

    it('lets a script that listens end by itself', async () => {
      const script = await load(scripts.endsWhenCancelled);
      const running = runPart(script.worker, mapRange(0, 1));
      while (script.worker.position().counter === 0) await new Promise(setImmediate);
      expect((await script.cancel()).code).toBe(7);
      await running;
    }, 15_000);

    it('shows progress that the script reports', async () => {
      const script = await load(scripts.reportsProgress);
      const running = runPart(script.worker, mapRange(4, 5));
      while (script.worker.position().counter < 5) await new Promise(setImmediate);
      expect(script.worker.position().item).toBe(4);
      script.kill();
      await running;
    }, 15_000);
  });
}
