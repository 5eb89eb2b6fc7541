/** The simulator of whole clusters; see docs/simulation.md. `import { simulate } from '@das/testing/simulator'`. */
export { type Endurance, endure } from './simulator/endurance.js';
export { findMutants } from './simulator/find-mutants.js';
export { type Mutant, mutants } from './simulator/mutants.js';
export { BrokenPromise } from './simulator/judge.js';
export { type SimulationOptions, optionsOf } from './simulator/options.js';
export { type Seeds, runSeeds } from './simulator/run-seeds.js';
export { type Run, simulate } from './simulator/storm.js';
export type { Weakening } from './simulator/weakening.js';
