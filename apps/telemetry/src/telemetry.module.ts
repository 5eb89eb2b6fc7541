import type { DynamicModule } from '@nestjs/common';
import { TelemetryController } from './telemetry.controller.js';
import { TelemetryService } from './telemetry.service.js';

export class TelemetryModule {
  /** Expects SERVICE_CONTEXT from the hosting application. */
  static of(): DynamicModule {
    return { module: TelemetryModule, controllers: [TelemetryController], providers: [TelemetryService] };
  }
}
