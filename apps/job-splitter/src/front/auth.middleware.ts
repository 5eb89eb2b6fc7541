import { createHash, timingSafeEqual } from 'node:crypto';
import { Inject, Injectable, type NestMiddleware } from '@nestjs/common';
import { Fault } from '@das/contracts';
import type { NextFunction, Request, Response } from 'express';

/** The bearer token that REST requires. */
export const REST_TOKEN = Symbol('RestToken');

/** The path as it came, so that no rewriting can widen it. */
const open = /^\/health\/(live|ready)(\?|$)/;

/** Lets in who has the cluster's token; others do not even learn which routes there are. Only `/health/*` is open, so that a watchdog needs no credential. */
@Injectable()
export class AuthMiddleware implements NestMiddleware {
  readonly #expected: Buffer;
  constructor(@Inject(REST_TOKEN) token: string) {
    this.#expected = digest(token);
  }

  /** @throws Fault UNAUTHORIZED. */
  use(request: Request, _response: Response, next: NextFunction): void {
    const { originalUrl, headers } = request;
    if (!open.test(originalUrl) && !this.knows(headers.authorization)) throw unauthorized(headers.authorization);
    next();
  }

  /** Compares digests: equal lengths, and a time that says nothing about the token. */
  private knows(header: string | undefined): boolean {
    const given = /^Bearer +(\S+)$/i.exec(header ?? '')?.[1];
    return given !== undefined && timingSafeEqual(digest(given), this.#expected);
  }
}

function unauthorized(given: string | undefined): Fault {
  const what = given === undefined ? 'this needs the token of the cluster' : 'this is not the token of the cluster';
  return new Fault('UNAUTHORIZED', what, {
    field: 'Authorization',
    expected: 'Bearer <token>',
    hint: 'das up tells in which file the token is',
  });
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
