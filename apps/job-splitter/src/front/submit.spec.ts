import { Fault, jobWake, jobsSubmit, jobsUploading, limits } from '@das/contracts';
import { nodeId } from '@das/kernel';
import { ServiceBusOver } from '@das/messaging';
import { SystemClock, newId } from '@das/platform';
import { natsServer } from '@das/testing';
import request from 'supertest';
import { type FrontDoor, asText, restToken, startFrontDoor } from '../testing/front-door.js';
import { type StandInJob, inputOf } from '../testing/stand-in-store.js';

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
    door.store.answersLost = false;
  });

  const post = (path = '/v1/jobs') => request(door.url).post(path).auth(restToken, { type: 'bearer' });
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

  it('with wait and NDJSON wanted answers with the result that the announcement has', async () => {
    door.store.onSealed = (job) => door.store.end(job, 'succeeded', { result: '"told"\n' });
    const { status, body } = await post('/v1/jobs?wait=30s&results=1').buffer(true).parse(asText).send(mapJob);
    expect([status, body]).toEqual([200, '"told"\n']);
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

  describe('with an Idempotency-Key', () => {
    const keyed = (key: string, body: object) => post().set('Idempotency-Key', key).send(body);

    it('again gives the same answer, over NATS too, and no second job', async () => {
      const before = door.store.jobs.size;
      const first = await keyed('same', mapJob);
      const again = await keyed('"same"', mapJob);
      expect([again.status, again.headers.location, again.body]).toEqual([202, first.headers.location, first.body]);
      const payload = Buffer.from(JSON.stringify({ ...mapJob, idempotencyKey: 'same' }));
      const message = { subject: jobsSubmit.subject, envelope: {}, payload };
      const overNats = await door.plain.request(message, { timeoutMs: 5_000 });
      expect(JSON.parse(Buffer.from(overNats.payload).toString())).toEqual(first.body);
      expect(door.store.jobs.size).toBe(before + 1);
    });

    it('again waits for the end of the job, and gives its result, be it long over', async () => {
      door.store.onSealed = echo;
      const { body } = await keyed('ended', mapJob);
      door.store.onSealed = () => undefined;
      const again = post('/v1/jobs?wait=30s&results=1').set('Idempotency-Key', 'ended').buffer(true).parse(asText);
      expect((await again.send(mapJob)).body).toBe('1\n{"a":"é"}\nnull\n');
      const asView = await post('/v1/jobs?wait=30s').set('Idempotency-Key', 'ended').send(mapJob);
      expect(asView).toMatchObject({ status: 200, body: { id: body.id, state: 'succeeded', items: { committed: 3 } } });
    });

    it('and another body is refused', async () => {
      await keyed('reused', mapJob);
      const { status, body } = await keyed('reused', { ...mapJob, input: { items: [1] } });
      expect([status, body.code]).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
    });

    it('is told to come again while the first is still being uploaded', async () => {
      const holder = await keyed('uploading', { code: { text }, input: { range: [0, 3] } });
      const stored = door.store.job(holder.body.id);
      const otherNode = new ServiceBusOver(
        door.plain,
        { node: nodeId('node-9'), service: 'job-splitter' },
        new SystemClock(),
        newId,
      );
      const { record } = stored;
      stored.record = { ...record, state: 'submitted', spec: { ...record.spec, contact: otherNode.node } };
      door.store.keys.set('uploading', { job: holder.body.id, digest: undefined });
      const stop = await otherNode.answer(jobsUploading, async () => ({ uploading: true }));
      const { status, body, headers } = await keyed('uploading', mapJob);
      stop();
      expect([status, body.code, headers['retry-after']]).toEqual([409, 'IDEMPOTENCY_KEY_IN_USE', '2']);
      expect(body.detail).toContain('node-9 is still receiving');
    });

    it('is refused when the key is none', async () => {
      const { status, body } = await keyed('a b', mapJob);
      expect([status, body.field]).toEqual([400, 'Idempotency-Key']);
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
