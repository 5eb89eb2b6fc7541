import { Catch, HttpException, Logger, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { Response } from 'express';
import { AtomNotFoundError, QueryTooLargeError } from './core/errors.js';
import { CutConnectionError, ImitatedFailureError } from './faults.js';
import { UnknownActionError } from './query-engine.js';
import { MalformedRequestError } from './wire/envelope.js';

const statuses = new Map<unknown, number>([
  [MalformedRequestError, 400],
  [QueryTooLargeError, 400],
  [UnknownActionError, 404],
  [AtomNotFoundError, 404],
  [ImitatedFailureError, 500],
]);

/** Every failure leaves as `{"error": "<text>"}`. What is not meant for users stays in the log. */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  readonly #logger = new Logger('das-server');

  catch(error: unknown, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<Response>();
    if (error instanceof CutConnectionError || response.headersSent) {
      response.destroy();
      return;
    }
    const { status, text } = this.#describe(error);
    response.status(status).json({ error: text });
  }

  #describe(error: unknown): { status: number; text: string } {
    const status = statuses.get((error as Error).constructor);
    if (status !== undefined) return { status, text: (error as Error).message };
    if (error instanceof HttpException) return { status: error.getStatus(), text: error.message };
    if (isRefusedBody(error)) return { status: error.status, text: `malformed request: ${error.message}` };
    this.#logger.error(error);
    return { status: 500, text: 'internal error' };
  }
}

/** What the body parser throws: too large, unknown encoding, cut short. */
function isRefusedBody(error: unknown): error is Error & { status: number } {
  return error instanceof Error && 'expose' in error && error.expose === true && 'status' in error;
}
