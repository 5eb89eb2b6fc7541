import type { ServiceDefinition } from '@das/platform';
import { TelemetryModule } from './telemetry.module.js';

/** The newest heartbeats, service logs, metrics. */
export const service: ServiceDefinition = { name: 'telemetry', module: () => TelemetryModule.of() };
