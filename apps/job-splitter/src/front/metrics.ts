import { Inject, Injectable, type NestMiddleware } from '@nestjs/common';
import { SERVICE_CONTEXT, type ServiceContext } from '@das/platform';
import type { NextFunction, Request, Response } from 'express';

/** What this process counts, as Prometheus names it. */
const counters = {
  das_jobs_submitted_total: 'Jobs accepted by this node.',
  das_results_bytes_total: 'Bytes of results sent.',
  das_http_requests_total: 'REST requests answered, by method, route and status.',
  das_http_request_duration_seconds_sum: 'Time spent on REST requests, streams included.',
} as const;
export type CounterName = keyof typeof counters;

/** Label sets kept; routes are few, so more than this would be a defect. */
const seriesMax = 1_000;

/** Counters of this process, and a few gauges read when asked. */
@Injectable()
export class Metrics {
  readonly #series = new Map<string, number>();

  count(name: CounterName, by = 1, labels = ''): void {
    const key = `${name}${labels}`;
    if (!this.#series.has(key) && this.#series.size >= seriesMax) return;
    this.#series.set(key, (this.#series.get(key) ?? 0) + by);
  }

  /** Prometheus text format 0.0.4. */
  text(): string {
    const counted = Object.entries(counters).flatMap(([name, help]) => [
      `# HELP ${name} ${help}`,
      `# TYPE ${name} counter`,
      ...[...this.#series]
        .filter(([key]) => key === name || key.startsWith(`${name}{`))
        .map(([key, value]) => `${key} ${value}`),
    ]);
    return `${[...counted, ...gauges()].join('\n')}\n`;
  }
}

function gauges(): string[] {
  const { rss, heapUsed } = process.memoryUsage();
  return [
    ['process_resident_memory_bytes', 'Memory of the whole process.', rss] as const,
    ['process_heap_bytes', 'JavaScript heap in use.', heapUsed] as const,
    ['process_uptime_seconds', 'Since the process started.', process.uptime()] as const,
  ].flatMap(([name, help, value]) => [`# HELP ${name} ${help}`, `# TYPE ${name} gauge`, `${name} ${value}`]);
}

/** Counts every REST request when its response is over. */
@Injectable()
export class MetricsMiddleware implements NestMiddleware {
  constructor(
    @Inject(SERVICE_CONTEXT) private readonly context: ServiceContext,
    @Inject(Metrics) private readonly metrics: Metrics,
  ) {}

  use(request: Request, response: Response, next: NextFunction): void {
    const began = this.context.clock.monotonic();
    response.once('close', () => {
      const labels = `{method="${methodOf(request.method)}",route="${routeOf(request)}",status="${response.statusCode}"}`;
      this.metrics.count('das_http_requests_total', 1, labels);
      this.metrics.count('das_http_request_duration_seconds_sum', (this.context.clock.monotonic() - began) / 1_000);
    });
    next();
  }
}

const methodOf = (method: string): string =>
  /^(GET|POST|DELETE|HEAD|PUT|PATCH|OPTIONS)$/.test(method) ? method : 'other';

/** The route's pattern, never the path: ids would make a series each. */
function routeOf(request: Request): string {
  const route: unknown = request.route;
  const path: unknown = typeof route === 'object' && route !== null && 'path' in route ? route.path : undefined;
  return typeof path === 'string' ? path : 'other';
}
