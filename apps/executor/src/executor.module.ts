import type { DynamicModule } from '@nestjs/common';
import { ExecutorController } from './executor.controller.js';
import { ExecutorService } from './executor.service.js';

export class ExecutorModule {
  /** Expects SERVICE_CONTEXT from the hosting application. */
  static of(): DynamicModule {
    return { module: ExecutorModule, controllers: [ExecutorController], providers: [ExecutorService] };
  }
}
