import { context } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import type { ServiceIdentity } from './tracing.js';

/** Spans wait this long for company before they are sent. */
const sendEveryMs = 1_000;
let contextsManaged = false;

/** A provider that sends one service's spans to `url` by OTLP over HTTP. The process-wide context manager is set once, by the first. */
export function startProvider(identity: ServiceIdentity, url: string): NodeTracerProvider {
  if (!contextsManaged) context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  contextsManaged = true;
  return new NodeTracerProvider({
    resource: resourceFromAttributes({
      'service.name': identity.service,
      'service.namespace': 'das-node',
      'service.instance.id': `${identity.node}/${identity.service}`,
      'das.node': identity.node,
    }),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter({ url }), { scheduledDelayMillis: sendEveryMs })],
  });
}
