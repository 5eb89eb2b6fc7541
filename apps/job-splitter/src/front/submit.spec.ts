import { request as httpRequest } from 'node:http';
import { Fault, jobWake, limits } from '@das/contracts';
import { natsServer } from '@das/testing';
import request from 'supertest';
import { type FrontDoor, asText, restToken, startFrontDoor } from '../testing/front-door.js';
import type { StandInJob } from '../testing/stand-in-store.js';

const text = 'def map(item):\n    return item\n';
const mapJob = { code: { text }, input: { items: [1, { a: 'é' }, null] } };

describe('submitting a job', () => {
  const nats = natsServer();
  let door: FrontDoor;
  beforeAll(async () => {
    door = await startFrontDoor(nats());
  }, 20_000);
  afterAll(() => door?.close());
  beforeEach(() => {
    door.store.onSealed = () => undefined;
    door.store.fault = undefined;
    door.store.gate = Promise.resolve();
    door.store.answersLost = false;
  });

  const post = (path = '/v1/jobs') => request(door.url).post(path).auth(restToken, { type: 'bearer' });
  const inputOf = (job: StandInJob): string => Buffer.concat(job.blocks.map(({ bytes }) => bytes)).toString();
  /** A job that succeeds at once: each item is its own result. */
  const echo = (job: StandInJob): void => {
    const lines = inputOf(job).split('\n').slice(0, -1);
    lines.forEach((line, item) => door.store.commit(job, 'map', item, [line]));
    door.store.end(job, 'succeeded');
  };

  it('answers 202 with the job and its address once the input is stored whole', async () => {
    const { status, body, headers } = await post().send({ ...mapJob, name: 'three', params: { a: 1 }, tolerate: '5%' });
    expect([status, headers.location]).toEqual([202, `/v1/jobs/${body.id}`]);
    expect(body).toMatchObject({
      name: 'three',
      state: 'running',
      contact: 'node-1',
      items: { total: 3, final: true },
    });
    const stored = door.store.job(body.id);
    expect(inputOf(stored)).toBe('1\n{"a":"é"}\nnull\n');
    expect(stored.codeText).toBe(text);
    expect(stored.record.spec).toMatchObject({
      params: { a: 1 },
      limits: { tolerate: { share: 0.05 } },
      filename: 'job.py',
    });
    expect(body.id).toMatch(/^j-[a-z0-9]{10}$/);
  });

  it('with wait answers when the job has ended', async () => {
    door.store.onSealed = echo;
    const { status, body } = await post('/v1/jobs?wait=30s').send(mapJob);
    expect(status).toBe(200);
    expect(body).toMatchObject({ state: 'succeeded', wallMs: 5, items: { committed: 3 } });
  });

  it('with wait and NDJSON wanted answers with the result, on the announcement alone, even one that comes before the creation is answered', async () => {
    door.store.onSealed = echo;
    const asked = door.store.gets;
    const byHeader = await post('/v1/jobs?wait=30s')
      .set('Accept', 'application/x-ndjson')
      .buffer(true)
      .parse(asText)
      .send(mapJob);
    const byQuery = await post('/v1/jobs?wait=30s&results=1').buffer(true).parse(asText).send(mapJob);
    expect([byHeader.status, byQuery.status]).toEqual([200, 200]);
    expect(byHeader.body).toBe('1\n{"a":"é"}\nnull\n');
    expect(byQuery.body).toBe(byHeader.body);
    expect(door.store.gets).toBe(asked);
    expect(byQuery.headers['content-type']).toContain('application/x-ndjson');
  });

  it('with wait answers 202 when the time is over first', async () => {
    const { status, body } = await post('/v1/jobs?wait=50ms').send(mapJob);
    expect([status, body.state]).toEqual([202, 'running']);
  });

  it('with wait finds the end by polling when the announcement is lost', async () => {
    door.store.onSealed = (job) => door.store.end(job, 'succeeded', { silently: true });
    const { status, body } = await post('/v1/jobs?wait=30s').send(mapJob);
    expect([status, body.state]).toEqual([200, 'succeeded']);
  });

  it('answers a failed job by its view, and by 409 with the failure where a result was wanted', async () => {
    const failure = { code: 'SCRIPT_ERROR', message: 'item 1: boom', item: 1, traceback: 'Traceback …' };
    door.store.onSealed = (job) => door.store.end(job, 'failed', { failure });
    expect((await post('/v1/jobs?wait=30s').send(mapJob)).body).toMatchObject({ state: 'failed', failure });
    const { status, body } = await post('/v1/jobs?wait=30s&results=1').send(mapJob);
    expect(status).toBe(409);
    expect(body).toMatchObject({
      code: 'JOB_ENDED',
      failure,
      detail: expect.stringContaining('item 1: boom') as string,
    });
  });

  it('passes the trace of the caller on to the job, and ignores what is none', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const traced = await post().set('traceparent', traceparent).send(mapJob);
    const strange = await post().set('traceparent', 'x').send(mapJob);
    expect(door.store.job(traced.body.id).record.spec.traceparent).toBe(traceparent);
    expect(door.store.job(strange.body.id).record.spec.traceparent).toBeUndefined();
  });

  it('finds a job accepted though the answer to its creation was lost', async () => {
    door.store.answersLost = true;
    for (const job of [mapJob, { code: { text }, input: { range: [0, 8] } }]) {
      const { status, body } = await post().send(job);
      expect([status, body.state]).toEqual([202, 'running']);
    }
  });

  it('leaves it to the store to wake the leader', async () => {
    const woken: string[] = [];
    const cancel = await door.bus.hear(jobWake, ({ job }) => void woken.push(job));
    const { body } = await post().send(mapJob);
    await post().send(mapJob);
    cancel();
    expect(woken).not.toContain(body.id);
  });

  describe('in parts', () => {
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
      door.store.onAppended = () => undefined;
      expect([status, body.state, door.store.abandoned.length]).toEqual([202, 'running', before]);
    });

    it('says that the upload paused too long when its job was dropped meanwhile', async () => {
      door.store.onAppended = () => door.store.jobs.clear();
      const { status, body } = await post()
        .attach('code', Buffer.from(text), 'job.py')
        .attach('input', Buffer.from(manyLines), 'input');
      door.store.onAppended = () => undefined;
      expect([status, body.code, body.detail]).toEqual([
        409,
        'JOB_ENDED',
        'the upload paused for more than 10 minutes, so its job was dropped',
      ]);
    });

    it('refuses a bad line of a large input, naming it, and abandons the job', async () => {
      const before = door.store.abandoned.length;
      const lines = '{"pad":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}\n'.repeat(20_000);
      const { status, body } = await post()
        .attach('code', Buffer.from(text), 'job.py')
        .attach('input', Buffer.from(`${lines}oops\n`), 'input');
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

  it.each([
    ['no JSON', '{', { status: 400, code: 'REQUEST_INVALID', field: 'the body' }],
    ['no script', {}, { status: 400, code: 'REQUEST_INVALID', field: 'code' }],
    ['an unknown parameter', { ...mapJob, retires: 1 }, { status: 400, field: 'retires' }],
    ['negative retries', { ...mapJob, retries: -1 }, { status: 400, field: 'retries', expected: 'at least 0' }],
    ['an empty script', { code: { text: '\n' } }, { status: 400, code: 'SCRIPT_EMPTY' }],
    ['no known function', { code: { text: 'def mapp(): pass' } }, { status: 400, code: 'SCRIPT_NO_FUNCTION' }],
    ['an unknown language', { code: { text, language: 'perl' } }, { status: 400, code: 'SCRIPT_LANGUAGE' }],
    [
      'a syntax error',
      { code: { text: '\ndef map(:\n' } },
      { status: 400, code: 'SCRIPT_SYNTAX', line: 2, text: 'def map(:' },
    ],
    [
      'no items',
      { code: { text } },
      { status: 400, code: 'INPUT_MISSING', hint: expect.stringContaining('input.range') as string },
    ],
    [
      'an item that is too large',
      { code: { text }, input: { items: ['x'.repeat(limits.itemBytesMax)] } },
      { status: 413, code: 'INPUT_ITEM_TOO_LARGE' },
    ],
  ])('refuses %s by a problem document, with nothing stored', async (_what, body, expected) => {
    const before = door.store.jobs.size;
    const response = await post().type('json').send(body);
    expect(response.headers['content-type']).toContain('application/problem+json');
    expect(response.body).toMatchObject(expected);
    expect(response.status).toBe(response.body.status);
    expect(response.text).not.toMatch(/\bat .*\.(ts|js)/);
    expect(door.store.jobs.size).toBe(before);
  });

  it('refuses a body that is too large and a wait that is none', async () => {
    const large = await post()
      .type('json')
      .send(JSON.stringify({ code: { text: 'x'.repeat(5 * 1024 * 1024) } }));
    expect([large.status, large.body.code]).toEqual([413, 'PAYLOAD_TOO_LARGE']);
    expect((await post('/v1/jobs?wait=soon').send(mapJob)).body).toMatchObject({
      code: 'REQUEST_INVALID',
      field: 'wait',
    });
    expect((await post('/v1/jobs?weit=1s').send(mapJob)).body).toMatchObject({
      code: 'REQUEST_INVALID',
      field: 'weit',
    });
  });

  it('answers 503 with Retry-After while the store is away', async () => {
    door.store.fault = new Fault('STORE_UNAVAILABLE', 'no connection to Postgres');
    // A submission would be tried for some time first: see uploads.spec.ts.
    const { status, body, headers } = await request(door.url).get('/v1/jobs').auth(restToken, { type: 'bearer' });
    expect([status, body.code, headers['retry-after']]).toEqual([503, 'STORE_UNAVAILABLE', '2']);
  });

  it('asks for the script once only', async () => {
    const before = door.executor.inspected;
    const fresh = { ...mapJob, code: { text: `${text}# once` } };
    await post().send(fresh);
    await post().send(fresh);
    expect(door.executor.inspected).toBe(before + 1);
  });
});
