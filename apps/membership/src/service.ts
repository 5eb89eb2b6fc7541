import type { ServiceDefinition } from '@das/platform';
import { type GossipNetwork, hostNetwork } from './gossip-network.js';
import { MembershipModule } from './membership.module.js';

/** The service over a given network. */
export const membershipOver = (network: GossipNetwork): ServiceDefinition => ({
  name: 'membership',
  module: () => MembershipModule.over(network),
});

export const service = membershipOver(hostNetwork);
