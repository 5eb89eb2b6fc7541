import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { type BeforeApplicationShutdown, Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { SERVICE_CONTEXT, type ServiceContext } from '@das/platform';
import type { FrontConfig } from './config.js';

/** The front door's checked settings. */
export const FRONT_CONFIG = Symbol('FrontConfig');

/** Says where this front door listens, for the cluster to know. */
@Injectable()
export class RestAddress implements OnApplicationBootstrap, BeforeApplicationShutdown {
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
    this.context.describe({ rest });
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
