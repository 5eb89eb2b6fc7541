import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { type BeforeApplicationShutdown, Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { nodeAttributes } from '@das/contracts';
import type { Cancel } from '@das/kernel';
import { SERVICE_CONTEXT, type ServiceContext } from '@das/platform';
import { type FrontConfig, frontLimits } from './config.js';

/** The front door's checked settings. */
export const FRONT_CONFIG = Symbol('FrontConfig');

/** Tells the node's membership where this front door listens, when it does and every 5 s. */
@Injectable()
export class RestAddress implements OnApplicationBootstrap, BeforeApplicationShutdown {
  #stop: Cancel = () => undefined;
  constructor(
    @Inject(SERVICE_CONTEXT) private readonly context: ServiceContext,
    @Inject(FRONT_CONFIG) private readonly config: FrontConfig,
    @Inject(HttpAdapterHost) private readonly adapter: HttpAdapterHost,
  ) {}

  onApplicationBootstrap(): void {
    const server = this.server();
    server.once('listening', () => this.announce(server.address()));
  }

  /** Followers and waiting clients would keep the server open; they resume at another node. */
  beforeApplicationShutdown(): void {
    this.#stop();
    this.server().close();
    this.server().closeAllConnections();
  }

  private server(): Server {
    return this.adapter.httpAdapter.getHttpServer() as Server;
  }

  private announce(address: string | AddressInfo | null): void {
    if (address === null || typeof address === 'string') return;
    const rest = this.config.DAS_REST_URL ?? urlOf(address, outwardAddress());
    this.context.log.info({ rest }, `the front door is ${rest}`);
    const tell = (): void => this.context.bus.tell(nodeAttributes, { node: this.context.node, rest });
    tell();
    this.#stop = this.context.clock.every(frontLimits.attributesEveryMs, tell);
  }
}

/** A wildcard address is nothing that others could connect to: they are told an address of this machine. */
export function urlOf({ address, family, port }: AddressInfo, outward: string | undefined): string {
  if (address === '0.0.0.0' || address === '::') return `http://${outward ?? '127.0.0.1'}:${port}`;
  return family === 'IPv6' ? `http://[${address}]:${port}` : `http://${address}:${port}`;
}

function outwardAddress(): string | undefined {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
}
