import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Inject, Injectable } from '@nestjs/common';
import { Fault, type Problem } from '@das/contracts';
import { messageOf } from '@das/kernel';
import { SERVICE_CONTEXT, type ServiceContext } from '@das/platform';
import type { Request, Response } from 'express';
import { frontLimits } from './config.js';
import { LockHeldFault } from './locks.js';
import { internalProblem, problemOf } from './problem.js';

/** Turns anything thrown by a REST handler into a problem document. What crosses the bus is the transporter's to translate. */
@Catch()
@Injectable()
export class ProblemFilter implements ExceptionFilter {
  constructor(@Inject(SERVICE_CONTEXT) private readonly context: ServiceContext) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    if (host.getType() !== 'http') throw thrown;
    const http = host.switchToHttp();
    this.answer(thrown, http.getRequest<Request>(), http.getResponse<Response>());
  }

  /** A response already begun is cut off, so that it cannot be taken for a whole one. */
  answer(thrown: unknown, request: Request, response: Response): void {
    if (response.headersSent) {
      this.context.log.warn({ path: request.path, error: messageOf(thrown) }, 'a response broke off');
      response.destroy();
      return;
    }
    const problem = this.problem(thrown, request);
    if (problem.status === 503 || problem.code === 'IDEMPOTENCY_KEY_IN_USE')
      response.setHeader('Retry-After', String(frontLimits.retryAfterS));
    if (thrown instanceof LockHeldFault) response.setHeader('Retry-After', String(thrown.retryAfterS));
    if (problem.status === 401) response.setHeader('WWW-Authenticate', 'Bearer');
    response.status(problem.status).type('application/problem+json').send(JSON.stringify(problem));
  }

  private problem(thrown: unknown, request: Request): Problem {
    if (thrown instanceof Fault) return problemOf(thrown);
    const status = statusOf(thrown);
    if (status === 404)
      return problemOf(new Fault('NOT_FOUND', `there is no ${request.method} ${request.path.slice(0, 200)}`));
    if (status >= 400 && status < 500) return problemOf(new Fault('REQUEST_INVALID', 'the request cannot be read'));
    const id = this.context.newId();
    const error =
      thrown instanceof Error ? { message: thrown.message, stack: thrown.stack } : { message: String(thrown) };
    this.context.log.error({ id, method: request.method, path: request.path, error }, 'a request met a defect');
    return internalProblem(id);
  }
}

/** Express and Nest mark errors of theirs with an HTTP status. */
function statusOf(thrown: unknown): number {
  if (thrown instanceof HttpException) return thrown.getStatus();
  const status: unknown =
    typeof thrown === 'object' && thrown !== null && 'status' in thrown ? thrown.status : undefined;
  return typeof status === 'number' ? status : 500;
}
