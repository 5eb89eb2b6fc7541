import type { DynamicModule, INestApplication } from '@nestjs/common';
import type { Clock, NodeId } from '@das/kernel';
import type { EventLog, ServiceBus } from '@das/messaging';
import type { NodeFacts } from './attributes.js';
import type { Logger } from './logging.js';

export const serviceNames = [
  'membership',
  'election',
  'job-splitter',
  'executor',
  'results-store',
  'telemetry',
] as const;
export type ServiceName = (typeof serviceNames)[number];

/** What every service is given at its start. Nest providers inject it by the token {@link SERVICE_CONTEXT}. */
export interface ServiceContext {
  readonly node: NodeId;
  readonly service: ServiceName;
  readonly clock: Clock;
  readonly bus: ServiceBus;
  readonly events: EventLog;
  readonly log: Logger;
  /** A fresh random id, 22 characters of `[A-Za-z0-9_-]`. */
  readonly newId: () => string;
  /** Adds to what the cluster is told of this node, from the service's start on. */
  readonly describe: (facts: NodeFacts) => void;
  /** The environment, for the service's own config schema (`loadConfig(schema, env)`); `process.env` is read nowhere else. */
  readonly env: Readonly<Record<string, string | undefined>>;
}
export const SERVICE_CONTEXT = Symbol('ServiceContext');

/** One service: a Nest module over the bus, with HTTP when it has a front door. */
export interface ServiceDefinition {
  readonly name: ServiceName;
  /** Called once the bus is connected. */
  module(context: ServiceContext): DynamicModule | Promise<DynamicModule>;
  /** Address to listen on; absent: no HTTP (but see DAS_HEALTH_PORT). */
  http?(context: ServiceContext): { readonly host: string; readonly port: number };
  /** Called with the HTTP application before it listens: body parsers, filters, middleware. Absent: JSON bodies up to the limit of a submission. */
  configureHttp?(app: INestApplication, context: ServiceContext): void | Promise<void>;
}

/**
 * Why a service is not ready, in words; empty when it is. A module may provide it by the token {@link READINESS};
 * it is asked by `/health/ready` and by the service's `health` operation.
 */
export type Readiness = () => readonly string[] | Promise<readonly string[]>;
export const READINESS = Symbol('Readiness');

export interface RunningService {
  readonly name: ServiceName;
  /** Base URL of its HTTP side. */
  readonly url: string | undefined;
  close(): Promise<void>;
}
