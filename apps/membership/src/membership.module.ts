import type { DynamicModule } from '@nestjs/common';
import { MembershipController } from './membership.controller.js';
import { MembershipService } from './membership.service.js';

export class MembershipModule {
  /** Expects SERVICE_CONTEXT from the hosting application. */
  static of(): DynamicModule {
    return { module: MembershipModule, controllers: [MembershipController], providers: [MembershipService] };
  }
}
