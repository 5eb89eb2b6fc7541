import { context, trace } from '@opentelemetry/api';
import { pino } from 'pino';

export type LogFields = Readonly<Record<string, unknown>>;
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Writes JSON lines. Fields first: ids a search needs (`job`, `part`, `attempt`); `err` for a thrown error. Never a secret. */
export interface Logger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}

export interface LoggerOptions {
  readonly node: string;
  readonly service: string;
  readonly level: LogLevel;
  /** Where lines go. @default standard error */
  readonly destination?: { write(line: string): void };
  /** Also told of every warning and error, e.g. to pass them on to the cluster. Must not log. */
  readonly onWarning?: (level: 'warn' | 'error', message: string) => void;
}

const toStderr = pino.destination({ fd: 2, sync: true });

/** A logger whose lines carry node, service and, inside a span, its trace id. */
export function createLogger(options: LoggerOptions): Logger {
  const { node, service, level, destination = toStderr, onWarning } = options;
  const settings = {
    level,
    base: { node, service },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: pino.stdSerializers.err },
    messageKey: 'message',
    mixin: traceOf,
  };
  const out = pino(settings, destination);
  return {
    debug: (fields, message) => out.debug(fields, message),
    info: (fields, message) => out.info(fields, message),
    warn: (fields, message) => {
      out.warn(fields, message);
      onWarning?.('warn', message);
    },
    error: (fields, message) => {
      out.error(fields, message);
      onWarning?.('error', message);
    },
  };
}

function traceOf(): { trace?: string } {
  const span = trace.getSpanContext(context.active());
  return span === undefined ? {} : { trace: span.traceId };
}
