import {
  type BodyOf,
  type ReplyOf,
  type RequestOf,
  bootstrapGossip,
  bootstrapGossipFrom,
  gossipKeys,
  listMembers,
  membershipStats,
  nodeAttributes,
} from '@das/contracts';
import { Answers, Hears } from '@das/messaging';
import { Controller, Inject } from '@nestjs/common';
import { MembershipService } from './membership.service.js';

/** Transport only. Presences are heard by the discovery itself: they are its protocol, not this service's. */
@Controller()
export class MembershipController {
  constructor(@Inject(MembershipService) private readonly membership: MembershipService) {}

  @Answers(listMembers)
  list(): ReplyOf<typeof listMembers> {
    return { members: this.membership.members() };
  }

  @Answers(membershipStats)
  stats(): ReplyOf<typeof membershipStats> {
    return this.membership.stats();
  }

  @Answers(bootstrapGossip)
  bootstrap(): ReplyOf<typeof bootstrapGossip> {
    return this.membership.bootstrap();
  }

  @Answers(bootstrapGossipFrom)
  bootstrapFrom(): ReplyOf<typeof bootstrapGossipFrom> {
    return this.membership.bootstrap();
  }

  @Answers(gossipKeys)
  keys(request: RequestOf<typeof gossipKeys>): Promise<ReplyOf<typeof gossipKeys>> {
    return this.membership.keys(request);
  }

  @Hears(nodeAttributes)
  onAttributes(attributes: BodyOf<typeof nodeAttributes>): void {
    this.membership.attributes(attributes);
  }
}
