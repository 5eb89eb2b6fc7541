export {
  ConfigError,
  type ConfigFault,
  type Env,
  StartError,
  SystemClock,
  environment,
  loadConfig,
  newId,
  paused,
  randomKey,
  replaceFile,
  unlessAborted,
} from './basics.js';
export { type NodeFacts, attributesEveryMs } from './attributes.js';
export { type Patience, isRetryable, patiently } from './patiently.js';
export { type CommonConfig, type Tokens, commonConfig, loadCommonConfig, loadTokens } from './common-config.js';
export { type LogFields, type LogLevel, type Logger, type LoggerOptions, createLogger } from './logging.js';
export { NestLogger } from './nest-logger.js';
export { LockClient, type LockReply, heldWords } from './locks/lock-client.js';
export { type SpanOptions, type Tracing, currentTraceparent, startTracing, withSpan } from './tracing.js';
export {
  READINESS,
  type Readiness,
  type RunningService,
  SERVICE_CONTEXT,
  type ServiceContext,
  type ServiceDefinition,
  type ServiceName,
  serviceNames,
} from './service.js';
export { type Health, healthOf, urlOf } from './health.js';
export { type StartOptions, startService } from './start-service.js';
export { exitCodes, runMain, startFailure } from './run-main.js';
