/// <reference types="jest" />
import type { Given } from '../../testing/runtime-harness.js';
import type { RuntimeScripts } from '../../testing/runtime-scripts.js';

export function inspectionRules({ it, fresh, code }: Given, scripts: RuntimeScripts): void {
  describe('inspection', () => {
    it('says which functions a script defines, without running it', async () => {
      const { worker, prints } = await fresh();
      const { functions } = await worker.inspect(code(scripts.definesThree));
      const none = { split: false, combine: false, main: false, on_success: false };
      expect(functions).toEqual({ ...none, map: true, reduce: true, gather: true, on_failure: true });
      expect(prints()).toBe('');
    });

    it('says where the syntax breaks', async () => {
      const { worker } = await fresh();
      const { fault } = await worker.inspect(code(scripts.brokenSyntax));
      expect(fault).toMatchObject({
        line: 2,
        text: expect.any(String),
        message: expect.stringContaining('SyntaxError'),
      });
    });
  });
}
