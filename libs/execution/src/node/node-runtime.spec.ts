import process from 'node:process';
import { SystemClock, newId } from '@das/platform';
import { runtimeContract } from '../ports/runtime.contract.js';
import { nodeScripts } from '../testing/node-scripts.js';
import { benchHarness } from '../testing/bench-harness.js';
import { NodeRuntime } from './node-runtime.js';

const start = () => benchHarness(new SystemClock(), newId, { runtime: new NodeRuntime(process.execPath) });

runtimeContract('JavaScript', start, nodeScripts);
