import { messageOf } from '@das/kernel';
import { StartError } from '@das/platform';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface MetricsListener {
  readonly url: string;
  close(): Promise<void>;
}

/** Answers GET /metrics with `text()`. @throws StartError when the address cannot be listened on; nothing is left open. */
export async function listenForMetrics(host: string, port: number, text: () => string): Promise<MetricsListener> {
  const server = createServer((request, response) => {
    const isMetrics = request.url === '/metrics' && request.method === 'GET';
    const [status, type, body] = isMetrics
      ? ([200, 'text/plain; version=0.0.4; charset=utf-8', text()] as const)
      : ([404, 'text/plain', 'there is GET /metrics\n'] as const);
    response.writeHead(status, { 'content-type': type }).end(body);
  });
  await listening(server, host, port);
  const bound = (server.address() as AddressInfo).port;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}/metrics`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      const hint = 'set DAS_METRICS_PORT to another port, or to 0 for a free one';
      reject(new StartError(`port ${port} on ${host} cannot be used for metrics (${messageOf(error)})`, { hint }));
    });
    server.listen(port, host, () => resolve());
  });
}
