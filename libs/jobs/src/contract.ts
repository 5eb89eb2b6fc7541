/** For the tests of adapters that live elsewhere: `import { resultStoreContract } from '@das/jobs/contract'`. */
export { resultStoreContract, type StoreHarness } from './ports/result-store.contract.js';
export { Scenario, bytesOf, linesFrom, mapRow, none, specOf, textOf } from './ports/contract/scenario.js';
