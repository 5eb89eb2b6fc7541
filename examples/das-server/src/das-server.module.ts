import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { Module, type DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { AtomTable } from './core/atom-table.js';
import type { Rng } from './core/rng.js';
import { ErrorFilter } from './error.filter.js';
import { Faults, type FaultSettings } from './faults.js';
import { QueryEngineController, STOPWATCH, type Stopwatch } from './query-engine.controller.js';
import { QueryEngine } from './query-engine.js';

export interface ServerParts {
  readonly table: AtomTable;
  readonly faults: FaultSettings;
  /** Decides which requests fail. */
  readonly rng: Rng;
  readonly sleep?: (ms: number) => Promise<unknown>;
  readonly stopwatch?: Stopwatch;
}

const bodyBytesMax = 256 * 1024;

@Module({})
export class DasServerModule {
  static of(parts: ServerParts): DynamicModule {
    return {
      module: DasServerModule,
      controllers: [QueryEngineController],
      providers: [
        { provide: QueryEngine, useValue: new QueryEngine(parts.table) },
        { provide: Faults, useValue: new Faults(parts.faults, parts.rng, parts.sleep ?? ((ms) => sleep(ms))) },
        { provide: STOPWATCH, useValue: parts.stopwatch ?? (() => performance.now() / 1000) },
      ],
    };
  }
}

/** The application, ready to listen. */
export async function createServer(parts: ServerParts): Promise<NestExpressApplication> {
  const app = await NestFactory.create<NestExpressApplication>(DasServerModule.of(parts), {
    bodyParser: false,
    logger: ['error', 'warn'],
  });
  // As text, whatever the Content-Type: older clients send none. The envelope is parsed and checked by ourselves.
  app.useBodyParser('text', { type: () => true, limit: bodyBytesMax });
  app.useGlobalFilters(new ErrorFilter());
  app.disable('x-powered-by');
  app.disable('etag');
  return app;
}
