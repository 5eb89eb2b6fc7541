/// <reference types="jest" />
import type { Given } from '../../testing/runtime-harness.js';
import { mapRange, runPart } from '../../testing/runtime-parts.js';
import type { RuntimeScripts } from '../../testing/runtime-scripts.js';

export function failureRules({ it, fresh, code, load, mapped }: Given, scripts: RuntimeScripts): void {
  describe('scripts that fail', () => {
    it('tells an exception with its item and the lines of the script, and goes on', async () => {
      const { lines, failures } = await mapped(scripts.raisesAt3, mapRange(0, 6));
      expect(lines).toEqual(['0', '1', '2', '4', '5']);
      expect(failures).toMatchObject([{ item: 3, message: expect.stringContaining('bad item'), itemText: '3' }]);
      expect(failures[0]?.traceback).toContain(scripts.filename);
      expect(failures[0]?.traceback).toContain(scripts.raisingLine);
      expect(failures[0]?.traceback).not.toMatch(/<das>|das:/);
    });

    it('gives the rest back after 20 failures', async () => {
      const { failures, received, end } = await mapped(scripts.raises, mapRange(0, 1000));
      expect([failures.length, received, end.kind]).toEqual([20, 20, 'ended']);
    });

    it('tells why a script cannot be imported', async () => {
      const { worker } = await fresh();
      const failure = await worker.load({ ...code(scripts.failsImport), job: 'j', node: 'n', params: {} });
      expect(failure?.message).toMatch(/cannot be imported: .*no such thing/);
      expect(failure?.traceback).toContain(scripts.filename);
    });

    it('takes a request to exit for a failure of the item', async () => {
      const { lines, failures } = await mapped(scripts.asksToExitAt3, mapRange(0, 5));
      expect(lines).toEqual(['0', '1', '2', '4']);
      expect(failures[0]?.message).toContain('exit(3)');
    });

    it('keeps what was told before the process ended, and says at which item it was', async () => {
      const { worker } = await load(scripts.exitsAt3);
      const { end, lines } = await runPart(worker, mapRange(0, 6));
      expect(end).toEqual({ kind: 'gone', exit: { code: 3, signal: null } });
      expect(lines).toEqual(['0', '1', '2']);
      expect(worker.position().item).toBe(3);
    }, 15_000);

    it('survives a script that wants too much memory', async () => {
      const { lines, failures } = await mapped(scripts.allocatesAt3, mapRange(0, 5));
      expect(lines).toEqual(['0', '1', '2', '4']);
      expect(failures[0]).toMatchObject({
        item: 3,
        message: expect.stringContaining(scripts.words.memory),
        hint: expect.stringContaining('memory'),
      });
    });

    it('says fatally that a function is missing', async () => {
      const { worker } = await load(scripts.splits, { count: 0, sign: 1 });
      expect(await runPart(worker, mapRange(0, 1))).toMatchObject({ end: { kind: 'fatal' } });
    });
  });
}
