/// <reference types="jest" />
import type { Given } from '../../testing/runtime-harness.js';
import { mapItems, mapRange } from '../../testing/runtime-parts.js';
import type { RuntimeScripts } from '../../testing/runtime-scripts.js';

export function resultRules({ it, mapped }: Given, scripts: RuntimeScripts): void {
  describe('results', () => {
    it('are text, not escapes', async () => {
      const { lines } = await mapped(scripts.identity, mapItems(['{"a":"ä\\u2028"}']));
      expect(lines).toEqual(['{"a":"ä\u2028"}']);
    });

    it('gives a list for a generator, and waits for what is asynchronous', async () => {
      expect((await mapped(scripts.generator, mapRange(0, 3))).lines).toEqual(['[]', '[0]', '[0,1]']);
      expect((await mapped(scripts.asynchronous, mapRange(0, 3))).lines).toEqual(['0', '2', '4']);
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
  });
}
