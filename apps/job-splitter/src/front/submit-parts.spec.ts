import { request as httpRequest } from 'node:http';
import { natsServer } from '@das/testing';
import request from 'supertest';
import { type FrontDoor, restToken, startFrontDoor } from '../testing/front-door.js';
import { inputOf } from '../testing/stand-in-store.js';

const text = 'def map(item):\n    return item\n';

describe('submitting a job in parts', () => {
  const nats = natsServer();
  let door: FrontDoor;
  beforeAll(async () => {
    door = await startFrontDoor(nats());
  }, 20_000);
  afterAll(() => door?.close());
  beforeEach(() => {
    door.store.onAppended = () => undefined;
    door.store.onAbandoned = () => undefined;
    door.store.answersLost = false;
  });

  const post = () => request(door.url).post('/v1/jobs').auth(restToken, { type: 'bearer' });
  const manyLines = '{"pad":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}\n'.repeat(20_000);

  it('takes script and items from the parts code and input', async () => {
    const { status, body } = await post()
      .field('spec', JSON.stringify({ input: { format: 'lines' }, retries: 0 }))
      .attach('code', Buffer.from(text), 'square.py')
      .attach('input', Buffer.from('a\r\n\nb'), 'lines.txt');
    expect(status).toBe(202);
    expect(inputOf(door.store.job(body.id))).toBe('"a"\n""\n"b"\n');
    expect(door.store.job(body.id).record.spec).toMatchObject({
      filename: 'square.py',
      name: 'square.py',
      limits: { retries: 0 },
    });
  });

  it('takes NDJSON when nothing is said, and needs no spec', async () => {
    const { body } = await post()
      .attach('code', Buffer.from(text), 'job.py')
      .attach('input', Buffer.from('1\n[2]\n'), 'input');
    expect(inputOf(door.store.job(body.id))).toBe('1\n[2]\n');
  });

  it('stores a large input in blocks, in order, one at a time, and seals it', async () => {
    const lines = Array.from({ length: 3_000 }, (_, i) => JSON.stringify({ i, pad: 'x'.repeat(400) }));
    const { status, body } = await post()
      .attach('code', Buffer.from(text), 'job.py')
      .attach('input', Buffer.from(lines.join('\n')), 'input');
    expect([status, body.items]).toMatchObject([202, { total: 3_000, final: true }]);
    const { blocks } = door.store.job(body.id);
    expect(blocks.map(({ no }) => no)).toEqual(blocks.map((_, no) => no));
    expect(blocks.length).toBeGreaterThan(4);
    expect(inputOf(door.store.job(body.id))).toBe(`${lines.join('\n')}\n`);
    expect(door.store.appending.most).toBe(1);
  });

  it('finds a sealed upload accepted though the answer was lost, and abandons nothing', async () => {
    const before = door.store.abandoned.length;
    door.store.onAppended = () => (door.store.answersLost = true);
    const { status, body } = await post()
      .attach('code', Buffer.from(text), 'job.py')
      .attach('input', Buffer.from(manyLines), 'input');
    expect([status, body.state, door.store.abandoned.length]).toEqual([202, 'running', before]);
  });

  it('says that the upload paused too long when its job was dropped meanwhile', async () => {
    door.store.onAppended = () => door.store.jobs.clear();
    const { status, body } = await post()
      .attach('code', Buffer.from(text), 'job.py')
      .attach('input', Buffer.from(manyLines), 'input');
    expect([status, body.code, body.detail]).toEqual([
      409,
      'JOB_ENDED',
      'the upload paused for more than 10 minutes, so its job was dropped',
    ]);
  });

  it('refuses a bad line of a large input, naming it, and abandons the job', async () => {
    const before = door.store.abandoned.length;
    const { status, body } = await post()
      .attach('code', Buffer.from(text), 'job.py')
      .attach('input', Buffer.from(`${manyLines}oops\n`), 'input');
    expect([status, body.code, body.line, body.text]).toEqual([400, 'INPUT_NOT_JSON', 20_001, 'oops']);
    expect(door.store.abandoned).toHaveLength(before + 1);
  });

  it('refuses a bad line at once and reads the rest of a long upload away, so that the client gets the answer', async () => {
    const rest = Buffer.alloc(48 * 1024 * 1024, '{"n":1}\n');
    const { status, body } = await post()
      .attach('code', Buffer.from(text), 'job.py')
      .attach('input', Buffer.concat([Buffer.from('{\n'), rest]), 'input');
    expect([status, body.code, body.line]).toEqual([400, 'INPUT_NOT_JSON', 1]);
  });

  it('abandons the job of a client that leaves in the middle', async () => {
    const abandoned = new Promise<void>((resolve) => (door.store.onAbandoned = resolve));
    const begun = new Promise<void>((resolve) => (door.store.onAppended = resolve));
    const sending = httpRequest(`${door.url}/v1/jobs`, {
      method: 'POST',
      headers: { authorization: `Bearer ${restToken}`, 'content-type': 'multipart/form-data; boundary=x' },
    });
    sending.on('error', () => undefined);
    const head = (name: string): string => `--x\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n`;
    sending.write(`${head('code')}${text}\r\n${head('input')}${'"some item"\n'.repeat(100_000)}`);
    await begun;
    sending.destroy();
    await abandoned;
  });

  it.each([
    ['an unknown part', () => post().field('spec', '{}').field('inputs', '1'), 'inputs'],
    [
      'a part behind the input',
      () =>
        post().attach('code', Buffer.from(text), 'j.py').attach('input', Buffer.from('1\n'), 'i').field('spec', '{}'),
      'spec',
    ],
    ['a part twice', () => post().field('spec', '{}').field('spec', '{}'), 'twice'],
    ['a spec that is not JSON', () => post().field('spec', '{'), 'spec is not JSON'],
    [
      'the script twice',
      () =>
        post()
          .field('spec', JSON.stringify({ code: { text } }))
          .attach('code', Buffer.from(text), 'j.py'),
      'twice',
    ],
  ])('refuses %s', async (_what, send, told) => {
    const { status, body } = await send();
    expect([status, body.code]).toEqual([400, 'REQUEST_INVALID']);
    expect(body.detail).toContain(told);
  });

  it('refuses a body that ends early, and a missing input', async () => {
    const type = 'multipart/form-data; boundary=x';
    const part = (name: string, body: string): string =>
      `--x\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${body}\r\n`;
    const cutOff = await post()
      .set('Content-Type', type)
      .send(`${part('code', text)}${part('input', '1\n2\n')}`);
    expect([cutOff.status, cutOff.body.code]).toEqual([400, 'REQUEST_INVALID']);
    const missing = await post()
      .set('Content-Type', type)
      .send(`${part('spec', '{"input":{"format":"lines"}}')}${part('code', text)}--x--`);
    expect([missing.status, missing.body.code]).toEqual([400, 'INPUT_MISSING']);
  });
});
