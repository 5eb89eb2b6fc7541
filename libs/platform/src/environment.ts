import type { Env } from './config.js';

/** The process's environment as it is now: the one place that reads `process.env`, for composition roots to pass on. */
export const environment = (): Env => ({ ...process.env });
