/** The memory store's operations, one call each, for who drives them without promises: `import { saveActs } from '@das/jobs/memory'`. */
export { type MemoryData, type MemoryJob, type MemoryWorld, emptyData } from './memory/memory-data.js';
export * from './memory/memory-input.js';
export * from './memory/memory-terms.js';
export * from './memory/memory-views.js';
export * from './memory/memory-work.js';
