import type { ServiceDefinition } from '@das/platform';
import { ExecutorModule } from './executor.module.js';

/** The executor: runs attempts in warm worker processes. */
export const service: ServiceDefinition = {
  name: 'executor',
  module: () => ExecutorModule.of(),
};
