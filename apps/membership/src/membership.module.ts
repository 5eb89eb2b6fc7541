import type { DynamicModule } from '@nestjs/common';
import type { GossipNetwork } from './gossip-network.js';
import { MembershipController } from './membership.controller.js';
import { GOSSIP_NETWORK, MembershipService } from './membership.service.js';

export class MembershipModule {
  /** Expects SERVICE_CONTEXT from the hosting application. */
  static over(network: GossipNetwork): DynamicModule {
    return {
      module: MembershipModule,
      controllers: [MembershipController],
      providers: [{ provide: GOSSIP_NETWORK, useValue: network }, MembershipService],
    };
  }
}
