import { z } from 'zod';

/** Settings of the telemetry service. */
export const telemetryConfig = z.object({
  DAS_METRICS_PORT: z.coerce
    .number()
    .int()
    .min(0)
    .max(65_535)
    .optional()
    .describe(
      'Port of GET /metrics in the Prometheus text format, on DAS_BIND, without a token; absent: none. 0: a free one.',
    ),
  OTEL_EXPORTER_OTLP_ENDPOINT: z
    .string()
    .regex(/^https?:\/\/\S+$/, 'expected http://host:port')
    .optional()
    .describe('OpenTelemetry collector (OTLP over HTTP) that gets traces and metrics; absent: none.'),
  OTEL_METRIC_EXPORT_INTERVAL: z.coerce
    .number()
    .int()
    .min(100)
    .max(3_600_000)
    .default(15_000)
    .describe('Time between two exports of metrics (ms).'),
});
export type TelemetryConfig = Readonly<z.output<typeof telemetryConfig>>;
