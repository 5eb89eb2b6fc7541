/**
 * What a program needs that is no service: time, ids, settings, files, faults of a start. Apart from the rest (`@das/platform/basics`), because Nest and
 * OpenTelemetry cost half a second of CPU to load, which is all that a short command takes.
 */
export { SystemClock } from './clock.js';
export { newId, randomKey } from './ids.js';
export { ConfigError, type ConfigFault, type Env, loadConfig } from './config.js';
export { environment } from './environment.js';
export { replaceFile } from './replace-file.js';
export { paused } from './paused.js';
export { StartError } from './start-error.js';
export { unlessAborted } from './unless-aborted.js';
