import { type BodyOf, type Member, memberChanged, type nodeAttributes } from '@das/contracts';
import { SERVICE_CONTEXT, type ServiceContext, loadConfig } from '@das/platform';
import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { membershipConfig } from './config.js';
import { HeartbeatMembers } from './heartbeat-members.js';

/** The service's life, and the voice of its members: every change is told to the services of this node. */
@Injectable()
export class MembershipService implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #members: HeartbeatMembers;

  constructor(@Inject(SERVICE_CONTEXT) context: ServiceContext) {
    this.#members = new HeartbeatMembers(context, loadConfig(membershipConfig, context.env));
    this.#members.onChange((member) => context.bus.tell(memberChanged, { by: context.node, member }));
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.#members.start();
  }

  /** Before the bus closes: the goodbye must still get out. */
  onModuleDestroy(): void {
    this.#members.stop();
  }

  members(): Member[] {
    return [...this.#members.members()];
  }

  attributes(attributes: BodyOf<typeof nodeAttributes>): void {
    this.#members.attributes(attributes);
  }
}
