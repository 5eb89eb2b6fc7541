import type { ServiceDefinition } from '@das/platform';
import { ElectionModule } from './election.module.js';

/** Who leads, in which term. */
export const service: ServiceDefinition = { name: 'election', module: () => ElectionModule.of() };
