import { recordFailure, remoteContext } from '@das/messaging';
import {
  type Attributes,
  type Context,
  type Span,
  type Tracer,
  context,
  createContextKey,
  trace,
} from '@opentelemetry/api';
import type { Env } from './config.js';

export { currentTraceparent } from '@das/messaging';

/** Tracing of one service. */
export interface Tracing {
  /** Undefined when tracing is off. */
  readonly tracer: Tracer | undefined;
  /** Runs `act`, and all that it starts, with this service's tracer: {@link withSpan} finds it there. */
  run<T>(act: () => T): T;
  /** Sends what is left; gives up after the exporter's own timeout. */
  shutdown(): Promise<void>;
}

const tracerKey = createContextKey('das tracer');

/**
 * Starts tracing when OTEL_EXPORTER_OTLP_ENDPOINT (or ..._TRACES_ENDPOINT) is set; else nothing is made and nothing costs.
 * Each service of a process has a tracer of its own, with its name as resource.
 */
export async function startTracing(identity: ServiceIdentity, env: Env): Promise<Tracing> {
  const url = endpointOf(env);
  if (url === undefined) return { tracer: undefined, run: (act) => act(), shutdown: async () => undefined };
  // Loaded on demand: the exporter costs 60 ms and 7 MB at start (measured).
  const { startProvider } = await import('./tracing-provider.js');
  const provider = startProvider(identity, url);
  const tracer = provider.getTracer('das-node');
  return {
    tracer,
    run: (act) => context.with(context.active().setValue(tracerKey, tracer), act),
    shutdown: () => provider.shutdown().catch(() => undefined),
  };
}

export interface ServiceIdentity {
  readonly node: string;
  readonly service: string;
}

/** As the OpenTelemetry specification has it: the general endpoint is a base, the one for traces a whole URL. */
function endpointOf(env: Env): string | undefined {
  const whole = env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT;
  if (whole !== undefined && whole !== '') return whole;
  const base = env.OTEL_EXPORTER_OTLP_ENDPOINT;
  return base === undefined || base === '' ? undefined : `${base.replace(/\/+$/, '')}/v1/traces`;
}

export interface SpanOptions {
  /** Parent given as text, e.g. the job's; default: the active span. */
  readonly traceparent?: string | undefined;
  readonly attributes?: Attributes;
}

/** Runs `fn` in a span of the calling service; what it throws is recorded and thrown on. Tracing off: just `fn()`, with a span that does nothing. */
export async function withSpan<T>(name: string, options: SpanOptions, fn: (span: Span) => T | Promise<T>): Promise<T> {
  const parent: Context = options.traceparent === undefined ? context.active() : remoteContext(options.traceparent);
  const tracer = (parent.getValue(tracerKey) as Tracer | undefined) ?? trace.getTracer('off');
  const span = tracer.startSpan(name, { attributes: options.attributes ?? {} }, parent);
  try {
    return await context.with(trace.setSpan(parent, span), () => fn(span));
  } catch (error) {
    recordFailure(span, error);
    throw error;
  } finally {
    span.end();
  }
}
