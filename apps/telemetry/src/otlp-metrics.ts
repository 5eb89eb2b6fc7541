import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider, PeriodicExportingMetricReader, type PushMetricExporter } from '@opentelemetry/sdk-metrics';
import { type Metric, type Sample, metrics } from './core/metrics.js';

/** A collector that does not answer holds an export, or the end of the service, no longer than this. */
const exportTimeoutMs = 2_000;

export interface OtlpMetrics {
  /** Sends what there is, then stops. Never rejects: a collector that is away is no failure of ours. */
  close(): Promise<void>;
}

/** A collector at `endpoint`, over HTTP. */
export function collectorAt(endpoint: string): PushMetricExporter {
  return new OTLPMetricExporter({ url: `${endpoint.replace(/\/+$/, '')}/v1/metrics`, timeoutMillis: exportTimeoutMs });
}

/** Hands the samples to `exporter` every `everyMs`. */
export function exportMetrics(
  node: string,
  exporter: PushMetricExporter,
  everyMs: number,
  read: () => readonly Sample[],
): OtlpMetrics {
  const reader = new PeriodicExportingMetricReader({
    exporter,
    exportIntervalMillis: everyMs,
    exportTimeoutMillis: Math.min(everyMs, exportTimeoutMs),
  });
  const resource = resourceFromAttributes({
    'service.name': 'telemetry',
    'service.namespace': 'das-node',
    'service.instance.id': `${node}/telemetry`,
    'das.node': node,
  });
  const provider = new MeterProvider({ resource, readers: [reader] });
  for (const metric of Object.values(metrics)) observe(provider, metric, read);
  return { close: () => provider.shutdown({ timeoutMillis: exportTimeoutMs }).catch(() => undefined) };
}

function observe(provider: MeterProvider, metric: Metric, read: () => readonly Sample[]): void {
  const meter = provider.getMeter('das');
  const options = { unit: metric.unit, description: metric.description };
  const instrument =
    metric.kind === 'gauge'
      ? meter.createObservableGauge(metric.name, options)
      : meter.createObservableCounter(metric.name, options);
  instrument.addCallback((result) => {
    for (const sample of read()) if (sample.metric === metric) result.observe(sample.value, sample.attributes);
  });
}
