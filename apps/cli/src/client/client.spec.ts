import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { durationMs } from '@das/kernel';
import { SystemClock } from '@das/platform/basics';
import { NoClusterError, ProblemError } from '../errors.js';
import { Client, problemOf } from './client.js';
import { followJob, keepingJob, wholeOf } from './job-follower.js';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

describe('a client of several nodes', () => {
  let servers: Server[];
  /** Where nobody listens. */
  let nobody: string;
  beforeEach(async () => {
    servers = [];
    nobody = await serve(() => undefined);
    const closed = servers.pop();
    closed?.close();
  });
  afterEach(() => servers.forEach((server) => (server.closeAllConnections(), server.close())));

  const serve = async (handler: Handler): Promise<string> => {
    const server = createServer(handler).listen(0, '127.0.0.1');
    servers.push(server);
    await once(server, 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  const clientOf = (...urls: string[]) => new Client({ urls, token: 'secret' }, new SystemClock());

  it('sends its token, and gives what the node answers', async () => {
    const url = await serve((request, response) =>
      response.end(JSON.stringify({ auth: request.headers.authorization, path: request.url })),
    );
    expect(await clientOf(url).get('/v1/jobs', { state: undefined, limit: 3 })).toEqual({
      auth: 'Bearer secret',
      path: '/v1/jobs?limit=3',
    });
  });

  it('asks the next node when one is gone', async () => {
    const url = await serve((_, response) => response.end('{"ok":true}'));
    expect(await clientOf(nobody, url).get('/x')).toEqual({ ok: true });
  });

  it('tells what to do when nobody ever answered', async () => {
    await expect(clientOf(nobody).get('/x')).rejects.toThrow(NoClusterError);
    await expect(clientOf(nobody).get('/x')).rejects.toThrow(
      `no cluster at ${nobody} (connection refused); start one with \`das up\`, or set DAS_URL`,
    );
    await expect(clientOf().get('/x')).rejects.toThrow(/no cluster is known here; start one/);
  });

  it('gives a refusal as it is, and asks nobody else', async () => {
    let asked = 0;
    const problem = { type: '/docs', title: 't', status: 404, detail: 'there is no job x', code: 'JOB_NOT_FOUND' };
    const url = await serve((_, response) => (asked++, response.writeHead(404).end(JSON.stringify(problem))));
    await expect(clientOf(url, url).get('/x')).rejects.toThrow(new ProblemError(problem));
    expect(asked).toBe(1);
  });

  it('asks again when a node says that it is not ready', async () => {
    let asked = 0;
    const url = await serve((_, response) =>
      asked++ === 0 ? response.writeHead(503).end('{}') : response.end('{"ok":1}'),
    );
    const live = await serve((_, response) => response.end('{}'));
    const client = clientOf(url, live);
    expect(await client.get('/x')).toEqual({});
    expect(asked).toBe(1);
  });

  it('learns the other nodes of the cluster', async () => {
    const other = await serve((_, response) => response.end('{"from":"other"}'));
    const nodes = [
      { name: 'b', state: 'alive', rest: other },
      { name: 'c', state: 'dead', rest: nobody },
    ];
    const url = await serve((_, response) => response.end(JSON.stringify({ nodes })));
    const client = clientOf(url);
    await client.learn();
    expect(client.urls).toEqual([url, other]);
  });

  it('reads on at another node in the middle of a result, and no byte comes twice', async () => {
    const lines = Array.from({ length: 2_000 }, (_, i) => `{"i":${i}}\n`).join('');
    const breaking = await serve((_, response) => {
      response.write(lines.slice(0, 7_777), () => response.destroy());
    });
    const whole = await serve((_, response) => response.end(lines));
    let got = '';
    for await (const bytes of wholeOf(clientOf(breaking, whole), '/results')) got += Buffer.from(bytes).toString();
    expect(got).toBe(lines);
  });

  it('closes the connection when a result is not read to its end', async () => {
    const closed = new Promise<void>((done) => {
      void serve((_, response) => {
        response.write('1\n');
        response.on('close', done);
      }).then(async (url) => {
        for await (const _ of wholeOf(clientOf(url), '/results')) break;
      });
    });
    await closed;
  });

  it('says once that the cluster is lost, and at the end that the job is kept', async () => {
    const nodes = [serve, serve, serve].map((one) => one((_, response) => response.end('{"state":"running"}')));
    const [one = '', ...others] = await Promise.all(nodes);
    const said: string[] = [];
    const client = new Client({ urls: [one, ...others], token: 't' }, new HastyClock(), (line) => said.push(line));
    await client.get('/v1/jobs/j-1');
    servers.splice(0).forEach((server) => (server.closeAllConnections(), server.close()));
    const ended = keepingJob(
      'j-1',
      followJob(client, 'j-1', () => undefined),
    );
    await expect(ended).rejects.toMatchObject({
      message: expect.stringContaining('the cluster is lost: no node answered for 30 s'),
      details: { hint: expect.stringContaining('job j-1 is kept') },
    });
    expect(said).toEqual(['no node answers (connection refused); trying for 30 s']);
  });

  it('names the token that a cluster did not take', async () => {
    const refusal = { type: 't', title: 't', status: 401, detail: 'this needs the token', code: 'UNAUTHORIZED' };
    const url = await serve((_, response) => response.writeHead(401).end(JSON.stringify(refusal)));
    const client = new Client({ urls: [url], token: 'x', tokenFrom: '/home/me/.das/token' }, new SystemClock());
    await expect(client.get('/v1/jobs')).rejects.toThrow(
      `the token of /home/me/.das/token is not that of the cluster at ${url}`,
    );
  });
});

/** Pauses are over at once; time-outs never come. */
class HastyClock extends SystemClock {
  #elapsed = 0;
  override monotonic() {
    return durationMs(this.#elapsed);
  }
  override timer(after: number, fire: () => void) {
    if (after > 1_000) return () => undefined;
    this.#elapsed += after;
    const soon = setImmediate(fire);
    return () => clearImmediate(soon);
  }
}

describe('an answer that is no problem document', () => {
  it('is told with its status and beginning', () => {
    expect(problemOf(502, '<html>bad gateway</html>')).toMatchObject({
      status: 502,
      detail: 'the node answered 502: <html>bad gateway</html>',
    });
    expect(problemOf(500, '')).toMatchObject({ detail: 'the node answered 500' });
  });
});
