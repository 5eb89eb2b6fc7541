import { type BodyOf, type ReplyOf, listMembers, nodeAttributes } from '@das/contracts';
import { Answers, Hears } from '@das/messaging';
import { SERVICE_CONTEXT, type ServiceContext } from '@das/platform';
import { Controller, Inject } from '@nestjs/common';
import { MembershipService } from './membership.service.js';

/** Transport only. Beats are heard by the adapter itself: they are its protocol, not this service's. */
@Controller()
export class MembershipController {
  constructor(
    @Inject(SERVICE_CONTEXT) private readonly context: ServiceContext,
    @Inject(MembershipService) private readonly membership: MembershipService,
  ) {}

  @Answers(listMembers)
  list(): ReplyOf<typeof listMembers> {
    return { members: this.membership.members() };
  }

  @Hears(nodeAttributes)
  onAttributes(attributes: BodyOf<typeof nodeAttributes>): void {
    if (attributes.node === this.context.node) this.membership.attributes(attributes);
  }
}
