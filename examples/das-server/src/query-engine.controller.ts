import { Readable } from 'node:stream';
import { Body, Controller, HttpCode, Inject, Post, Res, StreamableFile } from '@nestjs/common';
import type { Response } from 'express';
import { Faults } from './faults.js';
import { LongList, QueryEngine } from './query-engine.js';
import { parseEnvelope } from './wire/envelope.js';
import { jsonText } from './wire/json-text.js';

/** Seconds since any fixed moment. */
export type Stopwatch = () => number;
export const STOPWATCH = Symbol('Stopwatch');

/** How long the action took (s), without the way here and back. */
export const timeHeader = 'X-Handler-Method-Timestamp';

@Controller()
export class QueryEngineController {
  constructor(
    @Inject(QueryEngine) private readonly engine: QueryEngine,
    @Inject(Faults) private readonly faults: Faults,
    @Inject(STOPWATCH) private readonly seconds: Stopwatch,
  ) {}

  /** The paths of an OpenFaaS function and of an AWS Lambda; clients try one after the other. */
  @Post(['function/query-engine', 'prod/query-engine'])
  @HttpCode(200)
  async handle(@Body() body: unknown, @Res({ passthrough: true }) response: Response): Promise<unknown> {
    await this.faults.strike();
    const request = parseEnvelope(body);
    const started = this.seconds();
    try {
      const reply = this.engine.execute(request);
      return reply instanceof LongList
        ? new StreamableFile(Readable.from(jsonText(reply.items)), { type: 'application/json; charset=utf-8' })
        : reply;
    } finally {
      response.setHeader(timeHeader, (this.seconds() - started).toFixed(6));
    }
  }
}
