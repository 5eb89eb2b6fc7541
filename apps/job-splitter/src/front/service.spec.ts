import { nodeId } from '@das/kernel';
import { startService } from '@das/platform';
import { natsServer } from '@das/testing';
import request from 'supertest';
import { service } from '../service.js';
import { type FrontDoor, restToken, startFrontDoor } from '../testing/front-door.js';

describe('the front door', () => {
  const nats = natsServer();
  let door: FrontDoor;
  beforeAll(async () => {
    door = await startFrontDoor(nats());
  }, 20_000);
  afterAll(() => door?.close());
  beforeEach(() => {
    door.store.fault = undefined;
    door.leader = nodeId('node-1');
  });

  const get = (path: string) => request(door.url).get(path).auth(restToken, { type: 'bearer' });

  it.each(['/v1/jobs', '/v1/nodes', '/metrics', '/openapi.json', '/v1/nothing', '/healthy', '/health/../v1/jobs'])(
    'is closed to strangers: %s',
    async (path) => {
      const without = await request(door.url).get(path);
      expect([without.status, without.body.code, without.headers['www-authenticate']]).toEqual([
        401,
        'UNAUTHORIZED',
        'Bearer',
      ]);
      const wrong = await request(door.url).get(path).set('Authorization', `Bearer ${restToken}x`);
      expect(wrong.status).toBe(401);
    },
  );

  it('tells of an unknown route by a problem document', async () => {
    const { status, body, headers } = await get('/v1/nothing');
    expect([status, body.code, body.type]).toEqual([404, 'NOT_FOUND', 'urn:das-node:error:NOT_FOUND']);
    expect(headers['content-type']).toContain('application/problem+json');
    expect((await get('/v1/jobs/%E0%A4%A')).body).toMatchObject({ code: 'REQUEST_INVALID', status: 400 });
  });

  it('tells members with their load, and the leader', async () => {
    expect((await get('/v1/nodes')).body.nodes).toEqual([
      {
        name: 'node-1',
        state: 'alive',
        leader: true,
        rest: 'http://127.0.0.1:1',
        slots: 3,
        running: 1,
        queued: 2,
        holding: 0,
        version: '0.1.0',
      },
      { name: 'node-2', state: 'alive', leader: false, slots: 0, running: 0, queued: 0, version: '0.1.0' },
    ]);
    expect((await get('/v1/leader')).body).toEqual({ leader: 'node-1', term: 3 });
  });

  it('is live without a token, and ready when store and leader are there', async () => {
    expect((await request(door.url).get('/health/live')).status).toBe(200);
    expect((await request(door.url).get('/health/ready')).body).toEqual({ ready: true, reasons: [] });
    door.leader = undefined;
    const { status, body } = await request(door.url).get('/health/ready');
    expect([status, body]).toEqual([503, { ready: false, reasons: ['leader: none is known'] }]);
  });

  it('counts its requests by route, not by path', async () => {
    await get('/v1/jobs/j-anything');
    const { text, headers } = await get('/metrics');
    expect(headers['content-type']).toContain('text/plain');
    expect(headers).not.toHaveProperty('x-powered-by');
    expect(text).toContain('das_http_requests_total{method="GET",route="/v1/jobs/:id",status="404"}');
    expect(text).not.toContain('j-anything');
    expect(text).toMatch(/process_resident_memory_bytes \d+/);
  });

  it('tells the node where it listens', () => {
    expect(door.attributes).toContainEqual({ service: 'job-splitter', rest: door.url });
  });

  it('does not start without a token, and says so', async () => {
    const env = { DAS_NODE: 'node-9', DAS_NATS_URL: nats().url, DAS_NATS_TOKEN: nats().token, DAS_LOG_LEVEL: 'error' };
    await expect(startService(service, env)).rejects.toThrow('DAS_TOKEN: required');
  });

  it('does not start on a port in use, and names it', async () => {
    const port = new URL(door.url).port;
    await expect(startFrontDoor(nats(), { DAS_REST_PORT: port })).rejects.toMatchObject({
      message: expect.stringContaining(port) as string,
      hint: expect.stringContaining('DAS_REST_PORT') as string,
    });
  });
});
