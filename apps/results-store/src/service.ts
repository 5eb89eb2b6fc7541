import type { ServiceDefinition } from '@das/platform';
import { resultsStoreModule } from './results-store.module.js';

/** Owns Postgres: jobs, blocks, parts, outputs; the only judge of terms and commits. */
export const service: ServiceDefinition = { name: 'results-store', module: resultsStoreModule };
