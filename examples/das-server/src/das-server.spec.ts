import type { NestExpressApplication } from '@nestjs/platform-express';
import request, { type Test } from 'supertest';
import { createServer, type ServerParts } from './das-server.module.js';
import { animals, link } from './testing/animals.js';

const table = animals();
const running: NestExpressApplication[] = [];

async function start(parts: Partial<ServerParts> = {}): Promise<(body: unknown, path?: string) => Test> {
  const app = await createServer({ table, faults: { latencyMs: 0, failRate: 0 }, rng: () => 1, ...parts });
  running.push(app);
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  return (body, path = '/function/query-engine') =>
    request(url)
      .post(path)
      .send(body as object);
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((app) => app.close()));
});

describe('over HTTP', () => {
  it.each(['/function/query-engine', '/prod/query-engine'])('answers at %s', async (path) => {
    const post = await start();
    const response = await post({ action: 'ping', input: {} }, path);
    expect([response.status, response.body]).toEqual([200, { message: 'pong' }]);
    expect(response.headers['content-type']).toMatch('application/json');
  });

  it('answers a query, and says how long it took', async () => {
    const times = [10, 10.25];
    const post = await start({ stopwatch: () => times.shift() ?? 0 });
    const response = await post({ action: 'query', input: { query: link('Similarity', '$v1', '$v2') } });
    expect(response.status).toBe(200);
    expect(response.body).toHaveLength(14);
    expect(response.headers['content-type']).toMatch('application/json');
    expect(response.headers['x-handler-method-timestamp']).toBe('0.250000');
  });

  it('takes JSON without a Content-Type of its own', async () => {
    const post = await start();
    const response = await post(undefined).type('form').send('{"action":"count_atoms","input":{}}');
    expect(response.body).toEqual([14, 26]);
  });

  it.each([
    ['{"action":"ping"', 400],
    [{ action: 'ping', input: { more: 1 } }, 400],
    [{ action: 'fetch', input: {} }, 404],
    [{ action: 'get_atom', input: { handle: '0'.repeat(32) } }, 404],
    ['x'.repeat(300_000), 413],
    ['', 400],
  ])('refuses %.40j with %i and a reason', async (body, status) => {
    const post = await start();
    const response = await post(undefined).type('json').send(body);
    expect(response.status).toBe(status);
    expect(response.body).toEqual({ error: expect.stringMatching(/.{10}/) as string });
    expect(response.text).not.toMatch(/\bat .*:\d+/);
  });

  it('knows no other path', async () => {
    const post = await start();
    expect((await post({}, '/')).status).toBe(404);
  });
});

describe('faults over HTTP', () => {
  const ping = { action: 'ping', input: {} };

  it('fails with 500, or cuts the connection', async () => {
    const numbers = [0, 0.1, 0, 0.9, 1];
    const post = await start({ faults: { latencyMs: 0, failRate: 0.5 }, rng: () => numbers.shift() ?? 1 });
    const failed = await post(ping);
    expect([failed.status, failed.body]).toEqual([500, { error: 'the server failed (imitated: --fail-rate)' }]);
    await expect(post(ping)).rejects.toThrow(/socket hang up|ECONNRESET/);
    expect((await post(ping)).status).toBe(200);
  });

  it('is as slow as it should be', async () => {
    const slept: number[] = [];
    const post = await start({ faults: { latencyMs: 700, failRate: 0 }, sleep: async (ms) => void slept.push(ms) });
    expect((await post(ping)).status).toBe(200);
    expect(slept).toEqual([700]);
  });

  it('tells nobody about its own faults', async () => {
    const broken = Object.create(table) as typeof table;
    Object.defineProperty(broken, 'nodeCount', {
      get: () => {
        throw new Error('secret');
      },
    });
    const log = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
    const post = await start({ table: broken });
    const response = await post({ action: 'count_atoms', input: {} });
    expect([response.status, response.body]).toEqual([500, { error: 'internal error' }]);
    expect(log).toHaveBeenCalled();
    log.mockRestore();
  });
});
