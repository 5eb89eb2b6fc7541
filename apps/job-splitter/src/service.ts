import type { Server } from 'node:http';
import { type ServiceDefinition, commonConfig, loadConfig } from '@das/platform';
import { frontConfig } from './front/config.js';
import { discardWhatIsLeft } from './front/discard.js';
import { JobSplitterModule } from './job-splitter.module.js';

/** The job-splitter: REST and NATS front door; splits and gathers; on the leader it assigns. */
export const service: ServiceDefinition = {
  name: 'job-splitter',
  module: (context) => JobSplitterModule.of(context),
  /** No body parsers: bodies are read by the handlers, with bounds of their own, and uploads are never held. */
  configureHttp: (app, { clock }) => {
    const server = app.getHttpServer() as Server;
    // The runtime would cut off every request that is not there whole after five minutes; an upload may take hours. What bounds it is onIdleBody,
    // what bounds other bodies that are read is readJson, and those that nobody reads are bound by this.
    server.requestTimeout = 0;
    discardWhatIsLeft(server, clock);
  },
  http: ({ env }) => ({
    host: loadConfig(commonConfig, env).DAS_BIND,
    port: loadConfig(frontConfig, env).DAS_REST_PORT,
  }),
};
