import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { runCli } from './cli.js';
import type { World } from './world.js';

export const view = (state: string, more: object = {}) => ({
  id: 'j-1',
  name: 'job.py',
  state,
  generation: 1,
  contact: 'node-1',
  functions: { split: false, map: true, combine: false, reduce: false, gather: false, main: false },
  items: { total: 3, final: true, committed: state === 'succeeded' ? 3 : 1, failed: 0 },
  openParts: 0,
  createdAt: '2026-01-01T00:00:00.000Z',
  wallMs: 1234,
  ...more,
});
export const sse = (...events: object[]) =>
  events.map((event, i) => `id: ${i + 1}\ndata: ${JSON.stringify(event)}\n\n`).join('');
export const progress = {
  event: 'progress',
  job: 'j-1',
  at: 1,
  committed: 1,
  failed: 0,
  items: 3,
  sealed: true,
  running: 2,
  etaMs: 900,
};
export const ended = (state: string) => ({ event: 'state', job: 'j-1', at: 2, state, generation: 1 });

type Route = (request: IncomingMessage, response: ServerResponse) => void;

/** A folder with `job.py`, and a node that knows one job which succeeds. */
export class StubCluster {
  readonly uploads: string[] = [];
  /** What the node answers by method and path; tests replace single ones. */
  readonly routes: Record<string, Route> = {
    'GET /health/live': (_, response) => response.end('{}'),
    'GET /v1/nodes': (_, response) => response.end(JSON.stringify({ nodes: [] })),
    'POST /v1/jobs': (request, response) =>
      void text(request).then(
        (body) => (this.uploads.push(body), response.writeHead(202).end(JSON.stringify(view('running')))),
      ),
    'GET /v1/jobs/j-1/events': (_, response) => response.end(sse(progress, ended('succeeded'))),
    'GET /v1/jobs/j-1': (_, response) => response.end(JSON.stringify(view('succeeded'))),
    'GET /v1/jobs/j-1/results': (_, response) => response.end('1\n2\n3\n'),
  };
  /** Presses Ctrl-C; undefined while no command listens. */
  interrupt: (() => void) | undefined;

  private constructor(
    readonly cwd: string,
    readonly server: Server,
    readonly url: string,
  ) {}

  static async start(): Promise<StubCluster> {
    const cwd = mkdtempSync(join(tmpdir(), 'das-cli-'));
    writeFileSync(join(cwd, 'job.py'), 'def map(item): return item\n');
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const stub = new StubCluster(cwd, server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    server.on('request', (request, response) => stub.#answer(request, response));
    return stub;
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
    rmSync(this.cwd, { recursive: true, force: true });
  }

  /** Runs a command line in the folder. */
  async das(args: string[], env: Record<string, string> = { DAS_URL: this.url, DAS_TOKEN: 't' }) {
    const said = { out: '', err: '' };
    const world: World = {
      env: { DAS_HOME: join(this.cwd, 'home'), ...env },
      cwd: this.cwd,
      stdin: Readable.from(['{"a":1}\n']),
      terminal: false,
      out: async (data) => void (said.out += typeof data === 'string' ? data : Buffer.from(data).toString()),
      err: (line) => void (said.err += `${line}\n`),
      onInterrupt: (listener) => {
        this.interrupt = listener;
        return () => (this.interrupt = undefined);
      },
    };
    const code = await runCli(args, world);
    return { code, ...said };
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const route = this.routes[`${request.method} ${request.url}`];
    if (route) return route(request, response);
    const problem = { type: 't', title: 't', status: 404, detail: `no ${request.url}`, code: 'NOT_FOUND' };
    response.writeHead(404).end(JSON.stringify(problem));
  }
}
