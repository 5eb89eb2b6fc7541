import { AggregationTemporality, DataPointType, InMemoryMetricExporter } from '@opentelemetry/sdk-metrics';
import { type Sample, metrics } from './core/metrics.js';
import { exportMetrics } from './otlp-metrics.js';

/** Without the wire: the HTTP exporter loads its transport by a dynamic import, which Jest's CommonJS mode has not. */
describe('the exported metrics', () => {
  it('are named, measured and described as ours, and the last ones go out at the end', async () => {
    const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
    const exported: unknown[] = [];
    exporter.export = (batch, done) => {
      exported.push(
        batch.resource.attributes['service.instance.id'],
        ...batch.scopeMetrics.flatMap((scope) =>
          scope.metrics.map(({ descriptor, dataPointType, dataPoints }) => [
            descriptor.name,
            descriptor.unit,
            DataPointType[dataPointType],
            dataPoints.map((point) => [point.attributes, point.value]),
          ]),
        ),
      );
      done({ code: 0 });
    };
    const samples: readonly Sample[] = [
      { metric: metrics.slots, attributes: { node: 'a' }, value: 3 },
      { metric: metrics.log, attributes: { node: 'a', level: 'warn' }, value: 1 },
      { metric: metrics.log, attributes: { node: 'a', level: 'error' }, value: 2 },
    ];
    await exportMetrics('a', exporter, 60_000, () => samples).close();
    expect(exported).toEqual([
      'a/telemetry',
      ['das.executor.slots', '{slot}', 'GAUGE', [[{ node: 'a' }, 3]]],
      [
        'das.log.messages',
        '{message}',
        'SUM',
        [
          [{ node: 'a', level: 'warn' }, 1],
          [{ node: 'a', level: 'error' }, 2],
        ],
      ],
    ]);
  });
});
