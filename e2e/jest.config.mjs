import base from '../jest.config.mjs';

/** Whole clusters of real processes, one for each file; two files at a time, because most of their time is waiting for something to be noticed. */
export default { ...base, rootDir: import.meta.dirname, testTimeout: 120_000, maxWorkers: 2 };
