/// <reference types="jest" />
import type { Given, RuntimeHarness } from '../testing/runtime-harness.js';
import { runPart } from '../testing/runtime-parts.js';
import type { FilterScripts, LackingScripts, RuntimeScripts } from '../testing/runtime-scripts.js';
import { failureRules } from './contract/failing.contract.js';
import { hookRules } from './contract/hooks.contract.js';
import { inspectionRules } from './contract/inspection.contract.js';
import { itemRules } from './contract/items.contract.js';
import { lackingRules } from './contract/lacking.contract.js';
import { lockRules } from './contract/locks.contract.js';
import { misbehaviourRules } from './contract/misbehaving.contract.js';
import { resultRules } from './contract/results.contract.js';
import { splitRules } from './contract/split.contract.js';
import { stepRules } from './contract/steps.contract.js';

/** What a language has no words for: the title of each rule that does not apply, and why. */
export type Cannot = Readonly<Record<string, string>>;
type Rules<Scripts> = (given: Given, scripts: Scripts) => void;

/** What every runtime must do, whatever its language, but for what it says it cannot. */
export function runtimeContract(
  name: string,
  start: () => Promise<RuntimeHarness>,
  scripts: RuntimeScripts,
  cannot: Cannot = {},
): void {
  const all = [
    ...[itemRules, resultRules, failureRules, misbehaviourRules],
    ...[splitRules, stepRules, hookRules, inspectionRules, lockRules],
  ];
  underContract({ name, start, scripts, cannot }, all);
}

/** What a runtime must do that only maps, lines to lines: the rules of items, and to say of everything else in words that it has not got it. */
export function filterContract(name: string, start: () => Promise<RuntimeHarness>, scripts: LackingScripts): void {
  underContract({ name, start, scripts, cannot: {} }, [itemRules, lackingRules]);
}

interface Contract<Scripts> {
  readonly name: string;
  readonly start: () => Promise<RuntimeHarness>;
  readonly scripts: Scripts;
  readonly cannot: Cannot;
}

function underContract<Scripts extends FilterScripts>(
  { name, start, scripts, cannot }: Contract<Scripts>,
  all: ReadonlyArray<Rules<Scripts>>,
): void {
  describe(`runtime contract: ${name}`, () => {
    let harness: RuntimeHarness;
    beforeAll(async () => {
      harness = await start();
    }, 30_000);
    afterAll(() => harness.close(), 30_000);

    const fresh: Given['fresh'] = () => harness.fresh();
    const code: Given['code'] = (text) => ({ language: scripts.language, filename: scripts.filename, text });
    const load: Given['load'] = async (text, params = {}) => {
      const loaded = await fresh();
      const failure = await loaded.worker.load({ ...code(text), job: 'j', node: 'n', params, ...harness.more });
      expect(failure).toBeUndefined();
      return loaded;
    };
    const mapped: Given['mapped'] = async (text, work) => runPart((await load(text)).worker, work);

    const leftOut: string[] = [];
    const rule: Given['it'] = (title, test, timeoutMs) =>
      title in cannot ? void leftOut.push(title) : it(title, test, timeoutMs);
    for (const rules of all) rules({ it: rule, fresh, code, load, mapped }, scripts);
    it('leaves out no other rules than it says', () => expect(leftOut.sort()).toEqual(Object.keys(cannot).sort()));
  });
}
