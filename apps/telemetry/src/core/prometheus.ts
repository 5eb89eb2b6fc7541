import type { Attributes, Metric, Sample } from './metrics.js';

/** Units as Prometheus spells them in names; counts have none there. */
const unitSuffixes: Readonly<Record<string, string>> = { s: '_seconds', By: '_bytes' };

/** Text format 0.0.4, metrics in the order of their first sample. */
export function prometheusText(samples: readonly Sample[]): string {
  const groups = new Map<Metric, Sample[]>();
  for (const sample of samples) {
    const group = groups.get(sample.metric);
    if (group === undefined) groups.set(sample.metric, [sample]);
    else group.push(sample);
  }
  return [...groups].map(([metric, group]) => groupText(metric, group)).join('');
}

function groupText(metric: Metric, group: readonly Sample[]): string {
  const name = prometheusName(metric);
  const lines = group.map(({ attributes, value }) => `${name}${labels(attributes)} ${value}\n`);
  return `# HELP ${name} ${metric.description}\n# TYPE ${name} ${metric.kind}\n${lines.join('')}`;
}

/** `das.jobs.attempts.busy` in seconds, a counter: `das_jobs_attempts_busy_seconds_total`. */
export function prometheusName({ name, kind, unit }: Metric): string {
  return `${name.replaceAll('.', '_')}${unitSuffixes[unit] ?? ''}${kind === 'counter' ? '_total' : ''}`;
}

function labels(attributes: Attributes): string {
  const pairs = Object.entries(attributes).map(([key, value]) => `${key.replaceAll('.', '_')}="${escaped(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

const escaped = (value: string): string =>
  value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
