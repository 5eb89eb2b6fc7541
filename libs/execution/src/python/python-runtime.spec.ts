import { SystemClock, newId } from '@das/platform';
import { runtimeContract } from '../ports/runtime.contract.js';
import { benchHarness } from '../testing/bench-harness.js';
import { pythonScripts } from '../testing/python-scripts.js';
import { births } from '../testing/worker-bench.js';

for (const how of births)
  runtimeContract(`python by ${how}`, () => benchHarness(new SystemClock(), newId, { how }), pythonScripts);
