import type { DynamicModule } from '@nestjs/common';
import { ElectionController } from './election.controller.js';
import { ElectionService } from './election.service.js';

export class ElectionModule {
  /** Expects SERVICE_CONTEXT from the hosting application. */
  static of(): DynamicModule {
    return { module: ElectionModule, controllers: [ElectionController], providers: [ElectionService] };
  }
}
