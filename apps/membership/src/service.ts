import type { ServiceDefinition } from '@das/platform';
import { MembershipModule } from './membership.module.js';

/** Who is here. */
export const service: ServiceDefinition = { name: 'membership', module: () => MembershipModule.of() };
