/** The simulator of whole clusters; see docs/simulation.md. `import { simulate } from '@das/testing/simulator'`. */
export { BrokenPromise } from './simulator/judge.js';
export { type SimulationOptions, optionsOf } from './simulator/options.js';
export { type Run, simulate } from './simulator/storm.js';
export type { Weakening } from './simulator/weakening.js';
