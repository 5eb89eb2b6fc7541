import { limits } from '@das/contracts';
import { BusStrategy } from '@das/messaging';
import { type DynamicModule, type INestApplication, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { listenError, urlOf } from './health.js';
import { NestLogger } from './nest-logger.js';
import { SERVICE_CONTEXT, type ServiceContext, type ServiceDefinition } from './service.js';

/** A Nest application that answers. */
export interface ServiceApplication {
  readonly app: INestApplicationContext;
  readonly url: string | undefined;
}

class ServiceRoot {}
class ContextModule {}

/** The service's module, with its context for injection everywhere. */
async function rootModule(definition: ServiceDefinition, context: ServiceContext): Promise<DynamicModule> {
  const provided: DynamicModule = {
    module: ContextModule,
    global: true,
    providers: [{ provide: SERVICE_CONTEXT, useValue: context }],
    exports: [SERVICE_CONTEXT],
  };
  return { module: ServiceRoot, imports: [provided, await definition.module(context)] };
}

/** Creates the application and starts answering on the bus, and by HTTP when the definition says so. @throws what a provider throws, StartError for a taken port; nothing of it is left running. */
export async function startApplication(
  definition: ServiceDefinition,
  context: ServiceContext,
): Promise<ServiceApplication> {
  const options = { logger: new NestLogger(context.log), abortOnError: false, bufferLogs: false } as const;
  const root = await rootModule(definition, context);
  const strategy = new BusStrategy(context.bus, context.log);
  if (definition.http === undefined) {
    const app = await NestFactory.createMicroservice(root, { ...options, strategy });
    return closingOnFailure(app, async () => {
      await app.listen();
      return { app, url: undefined };
    });
  }
  const { host, port } = definition.http(context);
  const app = await NestFactory.create<NestExpressApplication>(root, { ...options, bodyParser: false });
  // Which framework answers is nobody's business.
  app.disable('x-powered-by');
  return closingOnFailure(app, async () => {
    await configureHttp(definition, app, context);
    app.connectMicroservice({ strategy }, { inheritAppConfig: true });
    await app.startAllMicroservices();
    await listen(app, host, port);
    return { app, url: urlOf(app.getHttpServer(), host) };
  });
}

async function configureHttp(
  definition: ServiceDefinition,
  app: NestExpressApplication,
  context: ServiceContext,
): Promise<void> {
  if (definition.configureHttp === undefined)
    app.useBodyParser('json', { limit: limits.specBytesMax + limits.codeBytesMax });
  else await definition.configureHttp(app, context);
}

async function listen(app: INestApplication, host: string, port: number): Promise<void> {
  try {
    await app.listen(port, host);
  } catch (error) {
    throw listenError(error, host, port, 'DAS_REST_PORT');
  }
}

async function closingOnFailure<T>(app: INestApplicationContext, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    await app.close().catch(() => undefined);
    throw error;
  }
}
