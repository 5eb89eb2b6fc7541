import type { LoggerService } from '@nestjs/common';
import type { Logger } from './logging.js';

/** Nest's own lines through ours. What Nest calls "log" is its start-up chatter: debug. */
export class NestLogger implements LoggerService {
  constructor(private readonly out: Logger) {}

  log(message: unknown, ...rest: unknown[]): void {
    this.out.debug(fieldsOf(rest), textOf(message));
  }
  error(message: unknown, ...rest: unknown[]): void {
    if (message instanceof Error) this.out.error({ err: message, ...fieldsOf(rest) }, message.message);
    else this.out.error(fieldsOf(rest), textOf(message));
  }
  warn(message: unknown, ...rest: unknown[]): void {
    this.out.warn(fieldsOf(rest), textOf(message));
  }
  debug(message: unknown, ...rest: unknown[]): void {
    this.out.debug(fieldsOf(rest), textOf(message));
  }
  verbose(message: unknown, ...rest: unknown[]): void {
    this.out.debug(fieldsOf(rest), textOf(message));
  }
  fatal(message: unknown, ...rest: unknown[]): void {
    this.error(message, ...rest);
  }
}

/** Nest passes its context (a class name) last, and before it a stack for errors. */
function fieldsOf(rest: readonly unknown[]): Record<string, unknown> {
  const texts = rest.filter((value) => typeof value === 'string');
  const stack = texts.find((text) => text.includes('\n    at '));
  const context = texts.at(-1);
  return {
    ...(context === undefined || context === stack ? {} : { context }),
    ...(stack === undefined ? {} : { stack }),
  };
}

const textOf = (message: unknown): string => (typeof message === 'string' ? message : JSON.stringify(message));
