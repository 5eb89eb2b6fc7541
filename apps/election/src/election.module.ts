import type { DynamicModule } from '@nestjs/common';
import { ElectionController } from './election.controller.js';
import { ElectionService, OPEN_PORTS, type OpenPorts } from './election.service.js';
import { openPorts } from './strategy-ports.js';

export class ElectionModule {
  /** Expects SERVICE_CONTEXT from the hosting application. */
  static of(open: OpenPorts = openPorts): DynamicModule {
    const providers = [ElectionService, { provide: OPEN_PORTS, useValue: open }];
    return { module: ElectionModule, controllers: [ElectionController], providers };
  }
}
