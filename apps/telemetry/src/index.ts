export { telemetryConfig } from './config.js';
export { service } from './service.js';
