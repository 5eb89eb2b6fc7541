import { Controller, Get, Header, Inject, Res } from '@nestjs/common';
import type { NodeView } from '@das/contracts';
import type { Response } from 'express';
import { Cluster, type LeaderView } from './cluster.js';
import { Metrics } from './metrics.js';
import { openApiDocument } from './openapi.js';

/** The cluster, this service's health, and what describes the interface itself. */
@Controller()
export class ClusterController {
  /** Made once: it never changes while the process runs. */
  readonly #openApi = JSON.stringify(openApiDocument());

  constructor(
    @Inject(Cluster) private readonly cluster: Cluster,
    @Inject(Metrics) private readonly metrics: Metrics,
  ) {}

  @Get('v1/nodes')
  nodes(): Promise<{ nodes: NodeView[] }> {
    return this.cluster.nodes();
  }

  @Get('v1/leader')
  leader(): Promise<LeaderView> {
    return this.cluster.leader();
  }

  /** The process runs; nothing is said of what it needs. */
  @Get('health/live')
  live(): { status: string } {
    return { status: 'live' };
  }

  /** 200 when jobs can be taken and run; 503 with the reasons otherwise. */
  @Get('health/ready')
  async ready(@Res() response: Response): Promise<void> {
    const reasons = await this.cluster.unready();
    response.status(reasons.length === 0 ? 200 : 503).json({ ready: reasons.length === 0, reasons });
  }

  @Get('metrics')
  @Header('Content-Type', 'text/plain; version=0.0.4; charset=utf-8')
  counters(): string {
    return this.metrics.text();
  }

  @Get('openapi.json')
  @Header('Content-Type', 'application/json')
  openApi(): string {
    return this.#openApi;
  }
}
