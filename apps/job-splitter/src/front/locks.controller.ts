import { Controller, Delete, Inject, Param, Put, Query, Req, Res } from '@nestjs/common';
import { type LockReleased, type LockView, lockAskSchema, lockNameSchema, shapeFault } from '@das/contracts';
import { SERVICE_CONTEXT, type ServiceContext } from '@das/platform';
import type { Request, Response } from 'express';
import type { z } from 'zod';
import { readJson } from './body.js';
import { Locks } from './locks.js';
import { lockQuery, parseQuery } from './query.js';

/** Three short fields (bytes). */
const bodyBytesMax = 1_024;

/** REST of locks for users. */
@Controller('v1/locks')
export class LocksController {
  constructor(
    @Inject(SERVICE_CONTEXT) private readonly context: ServiceContext,
    @Inject(Locks) private readonly locks: Locks,
  ) {}

  @Put(':name')
  async acquire(
    @Param('name') name: string,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<LockView> {
    const ask = parsed(lockAskSchema, await readJson(request, this.context.clock, bodyBytesMax), 'the body');
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    return this.locks.acquire(nameOf(name), ask, gone.signal);
  }

  @Delete(':name')
  release(@Param('name') name: string, @Query() query: unknown): Promise<LockReleased> {
    return this.locks.release({ name: nameOf(name), ...parseQuery(lockQuery, query) });
  }
}

const nameOf = (name: string): string => parsed(lockNameSchema, name, 'the name of the lock');

/** @throws Fault REQUEST_INVALID. */
function parsed<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const read = schema.safeParse(value);
  if (!read.success) throw shapeFault(read.error, what);
  return read.data;
}
