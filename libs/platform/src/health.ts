import { messageOf } from '@das/kernel';
import { type Server, createServer } from 'node:http';
import type { Readiness } from './service.js';
import { StartError } from './start-error.js';

/** What a service says of itself. */
export interface Health {
  readonly ready: boolean;
  readonly reasons: readonly string[];
}

/** Ready when the bus is connected and the service's own checks complain of nothing; a failing check is a complaint. */
export async function healthOf(
  bus: { readonly connected: boolean },
  readiness: Readiness | undefined,
): Promise<Health> {
  const reasons: string[] = bus.connected ? [] : ['the message bus is not connected'];
  try {
    reasons.push(...((await readiness?.()) ?? []));
  } catch (error) {
    reasons.push(messageOf(error));
  }
  return { ready: reasons.length === 0, reasons };
}

export interface HealthListener {
  readonly url: string;
  close(): Promise<void>;
}

/** GET /health/live answers while the process does; /health/ready by 200 or 503 with the reasons. @throws StartError when the port is taken. */
export async function listenForHealth(
  host: string,
  port: number,
  health: () => Promise<Health>,
): Promise<HealthListener> {
  const server = createServer((request, response) => {
    const answer = (status: number, body: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    if (request.method !== 'GET') answer(405, { error: 'use GET' });
    else if (request.url === '/health/live') answer(200, { live: true });
    else if (request.url === '/health/ready') void health().then((is) => answer(is.ready ? 200 : 503, is));
    else answer(404, { error: 'there are /health/live and /health/ready' });
  });
  await listening(server, host, port, 'DAS_HEALTH_PORT');
  return {
    url: urlOf(server, host),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listening(server: Server, host: string, port: number, setting: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(listenError(error, host, port, setting)));
    server.listen(port, host, () => resolve());
  });
}

/** Why an address cannot be listened on, in words. */
export function listenError(error: unknown, host: string, port: number, setting: string): StartError {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  const why = code === 'EADDRINUSE' ? 'is in use' : `cannot be used (${messageOf(error)})`;
  return new StartError(`port ${port} on ${host} ${why}`, {
    hint: `set ${setting} to another port, or to 0 for a free one`,
  });
}

/** Base URL as a client on this machine would use it. */
export function urlOf(server: Server, host: string): string {
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
}
