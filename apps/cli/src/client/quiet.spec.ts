import { once } from 'node:events';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SystemClock } from '@das/platform/basics';
import { ended, progress, sse } from '../stub-cluster.fixture.js';
import { Client } from './client.js';
import { followJob, wholeOf } from './job-follower.js';
import { quietMs } from './quiet.js';

/** Of the waits of one length the first few are over at once; no other one ever ends. */
class ShortOf extends SystemClock {
  constructor(
    private readonly waitMs: number,
    private times = 1,
  ) {
    super();
  }
  override timer(after: number, fire: () => void) {
    if (after < 1_000) return super.timer(after, fire);
    return after === this.waitMs && this.times-- > 0 ? super.timer(0, fire) : () => undefined;
  }
}

describe('a node that goes silent in the middle of an answer', () => {
  let servers: Server[];
  beforeEach(() => (servers = []));
  afterEach(() => servers.forEach((server) => (server.closeAllConnections(), server.close())));
  async function serve(handler: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
    const server = createServer(handler).listen(0, '127.0.0.1');
    servers.push(server);
    await once(server, 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
  const frozen = (): Promise<string> =>
    serve((request, response) => {
      if (request.url === '/health/live') response.destroy();
      else response.flushHeaders();
    });

  it('is left for another one that tells the events', async () => {
    let state = 'running';
    const url = await serve((request, response) => {
      if (request.url === '/v1/jobs/j-1') return response.end(JSON.stringify({ state }));
      state = 'succeeded';
      response.end(sse(progress, ended(state)));
    });
    const said: string[] = [];
    const silent = await frozen();
    const client = new Client({ urls: [silent, url], token: 't' }, new ShortOf(quietMs), (line) => said.push(line));
    const told: string[] = [];
    await followJob(client, 'j-1', ({ event }) => told.push(event));
    expect([told, said]).toEqual([['progress', 'state'], [`${silent} is silent; asking ${url}`]]);
  });

  it('is left for another one that tells the result', async () => {
    const urls = [await frozen(), await serve((_, response) => response.end('1\n'))];
    const whole = wholeOf(new Client({ urls, token: 't' }, new ShortOf(quietMs)), '/results', { follow: '1' });
    expect(await textOf(whole)).toBe('1\n');
  });

  it('is waited for while it answers at all', async () => {
    const asked: (string | undefined)[] = [];
    let following: ServerResponse | undefined;
    const url = await serve((request, response) => {
      asked.push(request.url);
      if (request.url !== '/health/live') return (following = response).flushHeaders();
      response.end('{}', () => following?.end('1\n'));
    });
    const whole = wholeOf(new Client({ urls: [url], token: 't' }, new ShortOf(quietMs)), '/results');
    expect([await textOf(whole), asked]).toEqual(['1\n', ['/results', '/health/live']]);
  });
});

async function textOf(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  let all = '';
  for await (const chunk of bytes) all += Buffer.from(chunk).toString();
  return all;
}
