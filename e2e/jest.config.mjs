import base from '../jest.config.mjs';

/** Whole clusters of real processes: one file after the other, each with a cluster of its own. */
export default { ...base, rootDir: import.meta.dirname, testTimeout: 120_000, maxWorkers: 1 };
