/// <reference types="jest" />
import { actRules } from './contract/acts.contract.js';
import { codeRules } from './contract/code.contract.js';
import { commitRules } from './contract/commits.contract.js';
import { outcomeRules } from './contract/outcome.contract.js';
import { inputRules } from './contract/input.contract.js';
import { lastCommitRules } from './contract/last-commits.contract.js';
import { lockRules } from './contract/locks.contract.js';
import { keyRules } from './contract/keys.contract.js';
import { Scenario, type StoreHarness } from './contract/scenario.js';
import { splitRules } from './contract/split.contract.js';
import { stagingRules } from './contract/staging.contract.js';
import { termRules } from './contract/terms.contract.js';
import { viewRules } from './contract/views.contract.js';

export type { StoreHarness };

/** What every {@link ResultStore} keeps (DESIGN §4.2). `start` gives a fresh, empty one for each rule. Runs inside Jest. */
export function resultStoreContract(name: string, start: () => Promise<StoreHarness>): void {
  describe(`ResultStore contract: ${name}`, () => {
    const open: StoreHarness[] = [];
    const given = async () => {
      const harness = await start();
      open.push(harness);
      const scenario = new Scenario(harness.store, harness.other, harness.locks);
      await scenario.lead();
      return scenario;
    };
    afterEach(async () => {
      for (const harness of open.splice(0)) await harness.close();
    });
    const all = [
      inputRules,
      codeRules,
      keyRules,
      splitRules,
      actRules,
      commitRules,
      lastCommitRules,
      outcomeRules,
      stagingRules,
      viewRules,
      termRules,
      lockRules,
    ];
    for (const rules of all) rules(given);
  });
}
