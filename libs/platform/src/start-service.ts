import { serviceHealth, serviceLog } from '@das/contracts';
import type { Clock } from '@das/kernel';
import { type EventLog, type MessageBus, ServiceBusOver } from '@das/messaging';
import { ModulesContainer } from '@nestjs/core';
import { AttributesTeller } from './attributes.js';
import { SystemClock } from './clock.js';
import { type CommonConfig, loadCommonConfig, loadTokens } from './common-config.js';
import type { Env } from './config.js';
import { connectToNats, openEventLog } from './connect.js';
import { healthOf, listenForHealth } from './health.js';
import { newId } from './ids.js';
import { type Logger, createLogger } from './logging.js';
import {
  READINESS,
  type Readiness,
  type RunningService,
  type ServiceContext,
  type ServiceDefinition,
} from './service.js';
import { type ServiceApplication, startApplication } from './service-application.js';
import { type Tracing, startTracing } from './tracing.js';
import { WarningRelay } from './warning-relay.js';

/** What a test or an embedding process brings along instead of NATS. The service closes the bus and the log with itself. */
export interface StartOptions {
  readonly transport?: { readonly bus: MessageBus; readonly events: EventLog };
  readonly clock?: Clock;
  readonly log?: Logger;
}

/** Undoes what was opened, newest first; one failing step does not keep the others from running. */
class Closers {
  readonly #steps: (() => unknown)[] = [];
  #closing: Promise<void> | undefined;

  constructor(private readonly log: Logger) {}

  add(step: () => unknown): void {
    this.#steps.push(step);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    for (const step of this.#steps.reverse()) {
      try {
        await step();
      } catch (error) {
        this.log.warn({ err: error }, 'did not close cleanly');
      }
    }
  }
}

/**
 * Starts one service: connects, builds its typed bus and event log, creates its Nest application and answers for its health.
 * `env` is all it knows of its surroundings.
 * @throws ConfigError, StartError (NATS unreachable, port taken), or what the service's own start throws; everything opened is closed again.
 */
export async function startService(
  definition: ServiceDefinition,
  env: Env,
  options: StartOptions = {},
): Promise<RunningService> {
  const config = loadCommonConfig(env);
  const identity = { node: config.DAS_NODE, service: definition.name };
  const relay = new WarningRelay();
  const log =
    options.log ??
    createLogger({ ...identity, level: config.DAS_LOG_LEVEL, onWarning: (level, text) => relay.pass(level, text) });
  const tracing = await startTracing(identity, env);
  const closers = new Closers(log);
  closers.add(() => tracing.shutdown());
  try {
    return await tracing.run(() => start({ definition, env, config, log, tracing, closers, relay, options }));
  } catch (error) {
    await closers.close();
    throw error;
  }
}

interface Starting {
  readonly definition: ServiceDefinition;
  readonly env: Env;
  readonly config: CommonConfig;
  readonly log: Logger;
  readonly tracing: Tracing;
  readonly closers: Closers;
  readonly relay: WarningRelay;
  readonly options: StartOptions;
}

async function start(starting: Starting): Promise<RunningService> {
  const { definition, config, log, closers, relay } = starting;
  const clock = starting.options.clock ?? new SystemClock();
  const startedAt = clock.now();
  const { context, attributes } = await contextOf(starting, clock);
  relay.open(clock, (level, message) =>
    context.bus.tell(serviceLog, { node: config.DAS_NODE, service: definition.name, level, message, at: clock.now() }),
  );
  context.bus.onConnection((up) => log.info({ up }, up ? 'message bus is back' : 'message bus is away'));
  const { app, url } = await startApplication(definition, context);
  closers.add(() => app.close());
  const readiness = readinessOf({ app, url });
  const health = () => healthOf(context.bus, readiness);
  await context.bus.answer(serviceHealth(definition.name), async () => {
    const { ready, reasons } = await health();
    return { service: definition.name, ready, reasons: [...reasons], pid: process.pid, startedAt };
  });
  if (config.DAS_HEALTH_PORT !== undefined) {
    const listener = await listenForHealth(config.DAS_BIND, config.DAS_HEALTH_PORT, health);
    closers.add(() => listener.close());
    log.info({ url: listener.url }, 'health listener is up');
  }
  closers.add(attributes.start());
  log.info(url === undefined ? {} : { url }, `${definition.name} is up`);
  return { name: definition.name, url, close: () => closers.close() };
}

async function contextOf(
  { definition, env, config, log, tracing, closers, options }: Starting,
  clock: Clock,
): Promise<{ context: ServiceContext; attributes: AttributesTeller }> {
  const { bus, events } = options.transport ?? (await natsTransport(config, definition.name, clock, log, closers));
  const identity = { node: config.DAS_NODE, service: definition.name };
  const typed = new ServiceBusOver(bus, identity, clock, newId, { log, tracer: tracing.tracer });
  closers.add(() => typed.close());
  closers.add(() => events.close());
  const attributes = new AttributesTeller(typed, clock);
  const describe: ServiceContext['describe'] = (facts) => attributes.describe(facts);
  return { context: { ...identity, clock, bus: typed, events, log, newId, describe, env }, attributes };
}

async function natsTransport(config: CommonConfig, service: string, clock: Clock, log: Logger, closers: Closers) {
  const bus = await connectToNats(config, loadTokens(config).nats, `${config.DAS_NODE}/${service}`, clock, log);
  closers.add(() => bus.close());
  return { bus, events: await openEventLog(bus, config.DAS_NATS_URL, clock) };
}

/** The module's own check, if one provides it. (`app.get` of an absent provider would be logged as an error.) */
function readinessOf({ app }: ServiceApplication): Readiness | undefined {
  for (const module of app.get(ModulesContainer).values()) {
    const provider = module.providers.get(READINESS);
    if (provider !== undefined) return provider.instance as Readiness;
  }
  return undefined;
}
