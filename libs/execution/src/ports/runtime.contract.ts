/// <reference types="jest" />
import type { Given, RuntimeHarness } from '../testing/runtime-harness.js';
import { runPart } from '../testing/runtime-parts.js';
import type { RuntimeScripts } from '../testing/runtime-scripts.js';
import { failureRules } from './contract/failing.contract.js';
import { hookRules } from './contract/hooks.contract.js';
import { inspectionRules } from './contract/inspection.contract.js';
import { itemRules } from './contract/items.contract.js';
import { lockRules } from './contract/locks.contract.js';
import { misbehaviourRules } from './contract/misbehaving.contract.js';
import { splitRules } from './contract/split.contract.js';
import { stepRules } from './contract/steps.contract.js';

/** What every runtime must do, whatever its language. */
export function runtimeContract(name: string, start: () => Promise<RuntimeHarness>, scripts: RuntimeScripts): void {
  describe(`runtime contract: ${name}`, () => {
    let harness: RuntimeHarness;
    beforeAll(async () => {
      harness = await start();
    }, 30_000);
    afterAll(() => harness.close(), 30_000);

    const fresh: Given['fresh'] = () => harness.fresh();
    const load: Given['load'] = async (text, params = {}) => {
      const loaded = await fresh();
      const failure = await loaded.worker.load({ job: 'j', node: 'n', filename: 'job.py', text, params });
      expect(failure).toBeUndefined();
      return loaded;
    };
    const mapped: Given['mapped'] = async (text, work) => runPart((await load(text)).worker, work);

    const all = [
      itemRules,
      failureRules,
      misbehaviourRules,
      splitRules,
      stepRules,
      hookRules,
      inspectionRules,
      lockRules,
    ];
    for (const rules of all) rules({ fresh, load, mapped }, scripts);
  });
}
