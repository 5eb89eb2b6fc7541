import { READINESS, type Readiness, type ServiceContext, loadConfig } from '@das/platform';
import { type DynamicModule, Inject, Module, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { messageOf } from '@das/kernel';
import { storeConfig } from './config.js';
import { openStore } from './postgres/open-store.js';
import { PostgresResultStore } from './postgres/postgres-result-store.js';
import { Announcer } from './store/announcer.js';
import { CodeController } from './store/code.controller.js';
import { InputController } from './store/input.controller.js';
import { LocksController } from './store/locks.controller.js';
import { OutboxPublisher } from './store/outbox-publisher.js';
import { RetentionTimer } from './store/retention-timer.js';
import { RESULT_STORE } from './store/tokens.js';
import { ViewsController } from './store/views.controller.js';
import { WorkController } from './store/work.controller.js';

const hourMs = 3_600_000;

/** Starts what runs beside the answers, and ends it before the database is left. */
@Module({})
export class ResultsStoreModule implements OnModuleInit, OnApplicationShutdown {
  constructor(
    @Inject(RESULT_STORE) private readonly store: PostgresResultStore,
    @Inject(OutboxPublisher) private readonly outbox: OutboxPublisher,
    @Inject(RetentionTimer) private readonly retention: RetentionTimer,
  ) {}

  onModuleInit(): void {
    this.outbox.start();
    this.retention.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.retention.stop();
    await this.outbox.stop();
    await this.store.close();
  }
}

/** @throws ConfigError, StartError when Postgres cannot be used; nothing is left open. */
export async function resultsStoreModule({ env, clock, bus, events, log }: ServiceContext): Promise<DynamicModule> {
  const config = loadConfig(storeConfig, env);
  const store = await openStore(config, clock, log);
  const readiness: Readiness = async () =>
    store.ping().then(
      () => [],
      (thrown) => [messageOf(thrown)],
    );
  const keptMs = config.DAS_JOB_RETENTION_HOURS * hourMs;
  return {
    module: ResultsStoreModule,
    controllers: [CodeController, InputController, WorkController, ViewsController, LocksController],
    providers: [
      { provide: RESULT_STORE, useValue: store },
      { provide: READINESS, useValue: readiness },
      { provide: Announcer, useValue: new Announcer(bus, clock) },
      { provide: OutboxPublisher, useValue: new OutboxPublisher(store, events, clock, log) },
      { provide: RetentionTimer, useValue: new RetentionTimer(store, keptMs, clock, log) },
    ],
  };
}
