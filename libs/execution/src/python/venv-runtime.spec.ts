import { SystemClock, newId } from '@das/platform';
import { runtimeContract } from '../ports/runtime.contract.js';
import { benchHarness } from '../testing/bench-harness.js';
import { pythonScripts } from '../testing/python-scripts.js';
import { VenvFolder } from '../testing/venvs.js';
import { findVenv } from './find-venv.js';
import { VenvRuntime } from './venv-runtime.js';

// Where scripts are kept in, as what they are kept in by must hold for it too.
for (const how of ['bwrap', 'landlock'] as const)
  runtimeContract(
    `python of a virtual environment, by ${how}`,
    async () => {
      const venvs = await VenvFolder.make();
      const reads = [venvs.root];
      const runtime = new VenvRuntime(await findVenv(await venvs.venv('green'), undefined));
      const harness = await benchHarness(new SystemClock(), newId, { how, runtime, reads });
      return { ...harness, close: () => harness.close().finally(() => venvs.close()) };
    },
    pythonScripts,
  );
