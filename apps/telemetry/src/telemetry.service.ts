import type { AttemptFinished, BodyOf, ExecutorBeat, MembershipCounted, NodeStatus, serviceLog } from '@das/contracts';
import { SERVICE_CONTEXT, type ServiceContext, commonConfig, loadConfig } from '@das/platform';
import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { type TelemetryConfig, telemetryConfig } from './config.js';
import { prometheusText } from './core/prometheus.js';
import { TelemetryView } from './core/view.js';
import { type MetricsListener, listenForMetrics } from './metrics-listener.js';
import { type OtlpMetrics, collectorAt, exportMetrics } from './otlp-metrics.js';

/** Keeps the view, and lets Prometheus and collectors read it. */
@Injectable()
export class TelemetryService implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #view: TelemetryView;
  readonly #config: TelemetryConfig;
  #listener: MetricsListener | undefined;
  #otlp: OtlpMetrics | undefined;

  constructor(@Inject(SERVICE_CONTEXT) private readonly context: ServiceContext) {
    this.#view = new TelemetryView(context.node);
    this.#config = loadConfig(telemetryConfig, context.env);
  }

  async onApplicationBootstrap(): Promise<void> {
    const { DAS_METRICS_PORT: port, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint } = this.#config;
    const samples = () => this.#view.samples(this.context.clock.monotonic());
    if (port !== undefined) {
      const host = loadConfig(commonConfig, this.context.env).DAS_BIND;
      this.#listener = await listenForMetrics(host, port, () => prometheusText(samples()));
      this.context.log.info({ url: this.#listener.url }, `metrics are at ${this.#listener.url}`);
    }
    if (endpoint === undefined) return;
    this.#otlp = exportMetrics(
      this.context.node,
      collectorAt(endpoint),
      this.#config.OTEL_METRIC_EXPORT_INTERVAL,
      samples,
    );
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#listener?.close();
    await this.#otlp?.close();
  }

  /** Where Prometheus reads, when it may. */
  get metricsUrl(): string | undefined {
    return this.#listener?.url;
  }

  beat(beat: ExecutorBeat): void {
    this.#view.beat(beat, this.context.clock.monotonic());
  }
  finished(finished: AttemptFinished): void {
    this.#view.finished(finished);
  }
  membership(counted: MembershipCounted): void {
    this.#view.membership(counted);
  }
  term(term: number): void {
    this.#view.term(term);
  }
  status(): NodeStatus[] {
    return this.#view.status(this.context.clock.monotonic());
  }

  /**
   * Written at `info` or `debug` whatever its own level: a warning of ours would be told to the cluster again, and heard, and written.
   * Lines of this node are in its log already, hence `debug`.
   */
  logged(line: BodyOf<typeof serviceLog>): void {
    this.#view.logged(line);
    const { node, service, level, message, at } = line;
    const fields = { origin: `${node}/${service}`, severity: level, at };
    if (node === this.context.node) this.context.log.debug(fields, message);
    else this.context.log.info(fields, message);
  }
}
