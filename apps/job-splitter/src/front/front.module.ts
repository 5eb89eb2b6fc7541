import { type DynamicModule, type MiddlewareConsumer, Module, type NestModule } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { READINESS, type Readiness } from '@das/platform';
import { AuthMiddleware, REST_TOKEN } from './auth.middleware.js';
import { Cluster } from './cluster.js';
import { ClusterController } from './cluster.controller.js';
import { CodeBundles } from './code-bundles.js';
import { CodeController } from './code.controller.js';
import type { FrontConfig } from './config.js';
import { Creation } from './creation.js';
import { EventsController } from './events.controller.js';
import { FollowResults } from './follow-results.js';
import { FrontStore } from './front-store.js';
import { JobSignals } from './job-signals.js';
import { JobStream } from './job-stream.js';
import { GossipKeyRotation } from './gossip-key-rotation.js';
import { Jobs } from './jobs.js';
import { JobsBusController } from './jobs.bus.controller.js';
import { JobsController } from './jobs.controller.js';
import { LocksBusController } from './locks.bus.controller.js';
import { LocksController } from './locks.controller.js';
import { Locks } from './locks.js';
import { MembersController } from './members.controller.js';
import { Metrics, MetricsMiddleware } from './metrics.js';
import { ProblemFilter } from './problem.filter.js';
import { FRONT_CONFIG, RestAddress } from './rest-address.js';
import { Results } from './results.js';
import { RunningUploads } from './running-uploads.js';
import { Scripts } from './scripts.js';
import { Submitter } from './submitter.js';
import { Uploads } from './uploads.js';

/** The front door: REST and NATS over the same services. SERVICE_CONTEXT comes from the root module (global). */
@Module({})
export class FrontModule implements NestModule {
  static with(config: FrontConfig, token: string): DynamicModule {
    return {
      module: FrontModule,
      controllers: [
        JobsController,
        CodeController,
        EventsController,
        ClusterController,
        MembersController,
        JobsBusController,
        LocksController,
        LocksBusController,
      ],
      providers: [
        { provide: FRONT_CONFIG, useValue: config },
        { provide: REST_TOKEN, useValue: token },
        { provide: APP_FILTER, useClass: ProblemFilter },
        {
          provide: READINESS,
          inject: [Cluster],
          useFactory:
            (cluster: Cluster): Readiness =>
            () =>
              cluster.unready(),
        },
        RestAddress,
        FrontStore,
        JobSignals,
        Scripts,
        CodeBundles,
        RunningUploads,
        Creation,
        Uploads,
        Submitter,
        Jobs,
        JobStream,
        Results,
        FollowResults,
        Cluster,
        GossipKeyRotation,
        Locks,
        Metrics,
      ],
    };
  }

  /** Counted first, so that refused requests count too. */
  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(MetricsMiddleware, AuthMiddleware).forRoutes('{*path}');
  }
}
