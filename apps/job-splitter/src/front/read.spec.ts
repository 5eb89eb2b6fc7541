import { type JobEvent, Fault, jobsCancel, jobsGet, jobsList, jobsResults, jobsSubmit } from '@das/contracts';
import { jobId, nodeId } from '@das/kernel';
import { natsServer } from '@das/testing';
import request from 'supertest';
import { type FrontDoor, asText, restToken, startFrontDoor } from '../testing/front-door.js';
import { frontLimits } from './config.js';
import type { StandInJob } from '../testing/stand-in-store.js';

const mapJob = { code: { text: 'def map(item):\n    return item\n' }, input: { range: [0, 8] } };
const gatherJob = { ...mapJob, code: { text: 'def map(i): return i\ndef gather(results): return 1\n' } };

describe('reading a job', () => {
  const nats = natsServer();
  let door: FrontDoor;
  beforeAll(async () => {
    door = await startFrontDoor(nats());
  }, 20_000);
  afterAll(() => door?.close());
  beforeEach(() => {
    door.store.fault = undefined;
    door.store.onRead = door.store.onRefused = () => undefined;
    door.leader = nodeId('node-1');
  });

  const get = (path: string) => request(door.url).get(path).auth(restToken, { type: 'bearer' });
  const text = async (path: string): Promise<string> => (await get(path).buffer(true).parse(asText)).body as string;

  async function submitted(job: object = mapJob): Promise<StandInJob> {
    const { body } = await request(door.url).post('/v1/jobs').auth(restToken, { type: 'bearer' }).send(job);
    return door.store.job(body.id);
  }
  const idOf = (job: StandInJob): string => job.record.spec.job;

  /** Resolves when no output was read for `ms`; a reader that never stops keeps it from doing so. */
  function quiet(ms: number): Promise<void> {
    return new Promise((resolve) => {
      let timer = setTimeout(resolve, ms);
      door.store.onRead = () => {
        clearTimeout(timer);
        timer = setTimeout(resolve, ms);
      };
    });
  }

  describe('results', () => {
    it('are the committed rows in order, whatever the pages', async () => {
      const job = await submitted();
      for (const item of [4, 0, 6, 2]) door.store.commit(job, 'map', item, [`"${item}"`, `{"b": ${item}}`]);
      door.store.end(job, 'succeeded');
      const expected = [0, 2, 4, 6].map((item) => `"${item}"\n{"b": ${item}}\n`).join('');
      expect(await text(`/v1/jobs/${idOf(job)}/results`)).toBe(expected);
      expect(await text(`/v1/jobs/last/results`)).toBe(expected);
      expect(await text(`/v1/jobs/${idOf(job)}/results?follow`)).toBe(expected);
    });

    it('are those of gather, and nothing for a job without any', async () => {
      const job = await submitted(gatherJob);
      door.store.commit(job, 'map', 0, ['1', '2']);
      door.store.commit(job, 'gather', 0, ['"a"'], 1);
      door.store.commit(job, 'gather', 0, ['"b"'], 1);
      door.store.end(job, 'succeeded');
      expect(await text(`/v1/jobs/${idOf(job)}/results`)).toBe('"a"\n"b"\n');
      const empty = await submitted();
      door.store.end(empty, 'succeeded');
      expect(await text(`/v1/jobs/${idOf(empty)}/results`)).toBe('');
    });

    it('of an unfinished job are refused without follow', async () => {
      const { status, body } = await get(`/v1/jobs/${idOf(await submitted())}/results`);
      expect([status, body.code]).toEqual([409, 'JOB_UNFINISHED']);
    });

    it('of a cancelled or failed job are refused with the reason', async () => {
      const job = await submitted();
      door.store.end(job, 'cancelled');
      const { status, body } = await get(`/v1/jobs/${idOf(job)}/results`);
      expect([status, body.code, body.failure.code]).toEqual([409, 'JOB_ENDED', 'JOB_CANCELLED']);
      expect((await get(`/v1/jobs/${idOf(job)}/results?follow`)).status).toBe(409);
    });

    it('followed come without a gap, as they are committed', async () => {
      const job = await submitted();
      door.store.commit(job, 'map', 0, ['0', '1']);
      door.store.commit(job, 'map', 4, ['4', '5']);
      const lines = await followed(`${door.url}/v1/jobs/${idOf(job)}/results?follow=1`);
      expect(await lines.next(2)).toBe('0\n1\n');
      door.store.commit(job, 'map', 2, ['2', '3']);
      door.store.commit(job, 'map', 6, ['6', '7']);
      door.store.end(job, 'succeeded');
      expect(await lines.rest()).toBe('2\n3\n4\n5\n6\n7\n');
    });

    it('followed end with the failure of a job that fails, or with the news that it started again', async () => {
      const job = await submitted();
      door.store.commit(job, 'map', 0, ['0']);
      const lines = await followed(`${door.url}/v1/jobs/${idOf(job)}/results?follow`);
      await lines.next(1);
      door.store.end(job, 'failed', { failure: { code: 'SCRIPT_ERROR', message: 'boom' } });
      expect(JSON.parse(await lines.rest())).toEqual({ $failed: { code: 'SCRIPT_ERROR', message: 'boom' } });
      const again = await submitted();
      const other = await followed(`${door.url}/v1/jobs/${idOf(again)}/results?follow`);
      again.record = { ...again.record, generation: 2 };
      expect(JSON.parse(await other.rest())).toMatchObject({ $failed: { code: 'JOB_RESTARTED' } });
    });

    it('followed outlive a store that is away for a while', async () => {
      const job = await submitted();
      door.store.commit(job, 'map', 0, ['0']);
      const lines = await followed(`${door.url}/v1/jobs/${idOf(job)}/results?follow`);
      await lines.next(1);
      const refused = new Promise<void>((resolve) => (door.store.onRefused = resolve));
      door.store.fault = new Fault('STORE_UNAVAILABLE', 'restarting');
      await refused;
      door.store.fault = undefined;
      door.store.commit(job, 'map', 1, ['1']);
      door.store.end(job, 'succeeded');
      expect(await lines.rest()).toBe('1\n');
    });

    it('followed stop asking the store when the client has left', async () => {
      const reader = new AbortController();
      const job = await submitted();
      const read = new Promise<void>((resolve) => (door.store.onRead = resolve));
      const asking = fetch(`${door.url}/v1/jobs/${idOf(job)}/results?follow`, {
        headers: { authorization: `Bearer ${restToken}` },
        signal: reader.signal,
      });
      await read;
      reader.abort();
      await asking.then((response) => response.text()).catch(() => undefined);
      await quiet(3 * frontLimits.followPollMs);
    });

    it('break off, and never look whole, when the store goes away in the middle', async () => {
      const job = await submitted();
      for (let item = 0; item < 8; item++) door.store.commit(job, 'map', item, [`${item}`]);
      const lines = await followed(`${door.url}/v1/jobs/${idOf(job)}/results?follow`);
      await lines.next(8);
      door.store.fault = new Fault('INTERNAL', 'gone');
      await expect(lines.rest()).rejects.toThrow();
    });
  });

  describe('jobs', () => {
    it('are listed newest first, page by page, and filtered by state', async () => {
      const [first, second] = [await submitted(), await submitted()];
      door.store.end(second, 'succeeded');
      const page = (await get('/v1/jobs?limit=1')).body;
      expect(page.jobs.map(({ id }: { id: string }) => id)).toEqual([idOf(second)]);
      const next = (await get(`/v1/jobs?limit=1&cursor=${page.next}`)).body;
      expect(next.jobs.map(({ id }: { id: string }) => id)).toEqual([idOf(first)]);
      const running = (await get('/v1/jobs?state=running')).body.jobs as { state: string }[];
      expect(new Set(running.map(({ state }) => state))).toEqual(new Set(['running']));
      expect((await get('/v1/jobs?state=lost')).body).toMatchObject({ status: 400, field: 'state' });
      expect((await get('/v1/jobs?limit=0')).body).toMatchObject({ status: 400, field: 'limit' });
    });

    it('are listed with what they committed, however they ended', async () => {
      for (const state of ['cancelled', 'failed'] as const) {
        const job = await submitted();
        door.store.commit(job, 'map', 0, ['0']);
        door.store.end(job, state);
        const [listed] = (await get('/v1/jobs?limit=1')).body.jobs as object[];
        expect(listed).toMatchObject({ id: idOf(job), state, items: { committed: 1 } });
      }
    });

    it('can be cancelled twice, but not once they have ended', async () => {
      const job = await submitted();
      const cancel = () =>
        request(door.url)
          .delete(`/v1/jobs/${idOf(job)}`)
          .auth(restToken, { type: 'bearer' });
      expect((await cancel()).body.state).toBe('cancelled');
      expect((await cancel()).status).toBe(200);
      job.record = { ...job.record, state: 'succeeded' };
      expect((await cancel()).body).toMatchObject({ status: 409, code: 'JOB_ENDED' });
    });

    it('that settle are neither cancelled nor read, and say what is decided', async () => {
      const job = await submitted();
      const decision = { id: `${idOf(job)}-succeeded`, outcome: 'succeeded' as const, decidedAt: 1 };
      job.record = { ...job.record, state: 'settling', decision };
      const path = `/v1/jobs/${idOf(job)}`;
      const { body } = await request(door.url).delete(path).auth(restToken, { type: 'bearer' });
      expect(body).toMatchObject({
        status: 409,
        code: 'JOB_DECIDED',
        detail: expect.stringContaining('has succeeded'),
      });
      expect((await get(`${path}/results`)).body).toMatchObject({
        ...{ status: 409, code: 'JOB_UNFINISHED', detail: expect.stringContaining('is settling: on_success runs') },
      });
      expect((await get(path)).body).toMatchObject({ state: 'settling', decision: { outcome: 'succeeded' } });
      expect((await get('/v1/jobs?state=settling')).body.jobs).toHaveLength(1);
    });

    it.each(['j-nothere', 'not%20an%20id', '..%2f'])('%s is not found', async (id) => {
      expect((await get(`/v1/jobs/${id}`)).body).toMatchObject({ status: 404, code: 'JOB_NOT_FOUND' });
      expect((await request(door.url).delete(`/v1/jobs/${id}`).auth(restToken, { type: 'bearer' })).status).toBe(404);
    });

    it('tell their parts', async () => {
      expect((await get(`/v1/jobs/${idOf(await submitted())}/parts?limit=5`)).body).toEqual({ parts: [] });
    });
  });

  describe('events and logs', () => {
    const at = 1;
    const state = (job: StandInJob, to: 'running' | 'succeeded'): JobEvent => ({
      event: 'state',
      job: job.record.spec.job,
      at,
      state: to,
      generation: 1,
    });
    const log = (job: StandInJob, ...lines: string[]): JobEvent => ({
      event: 'log',
      job: job.record.spec.job,
      at,
      node: nodeId('node-2'),
      part: 'map:0-4' as never,
      attempt: 1,
      stream: 'stdout',
      lines,
    });

    it('are replayed from the first, then followed; the last state ends the stream', async () => {
      const job = await submitted();
      await door.events.append(state(job, 'running'));
      await door.events.append(log(job, 'not among the events'));
      const stream = await followed(`${door.url}/v1/jobs/${idOf(job)}/events`);
      expect(await stream.next(4)).toMatch(/^id: \d+\nevent: state\ndata: \{.*"state":"running".*\}\n\n$/);
      await door.events.append(state(job, 'succeeded'));
      const rest = await stream.rest();
      expect(rest).toContain('"state":"succeeded"');
      expect(rest).not.toContain('not among');
      const seq = /^id: (\d+)/.exec(rest)?.[1] ?? '';
      const resumed = await get(`/v1/jobs/${idOf(job)}/events`)
        .set('Last-Event-ID', String(Number(seq) - 1))
        .buffer(true)
        .parse(asText);
      expect(resumed.body).toBe(rest);
      expect((await get(`/v1/jobs/${idOf(job)}/events`).set('Last-Event-ID', 'x')).status).toBe(400);
    });

    it('print each line with its origin, and follow until the job has ended', async () => {
      const job = await submitted();
      await door.events.append(log(job, 'one', 'two'));
      expect(await text(`/v1/jobs/${idOf(job)}/logs`)).toBe('[node-2 map:0-4] one\n[node-2 map:0-4] two\n');
      const stream = await followed(`${door.url}/v1/jobs/${idOf(job)}/logs?follow`);
      await stream.next(2);
      door.store.end(job, 'succeeded');
      await door.events.append(log(job, 'three'));
      expect(await stream.rest()).toBe('[node-2 map:0-4] three\n');
    });
  });

  describe('over the bus, in plain JSON', () => {
    const ask = async (subject: string, body: unknown) => {
      const payload = new TextEncoder().encode(JSON.stringify(body));
      const reply = await door.plain.request({ subject, envelope: {}, payload }, { timeoutMs: 5_000 });
      return { text: new TextDecoder().decode(reply.payload), next: reply.headers?.['das-next'] };
    };

    it('a job is submitted, seen, listed and cancelled as by REST', async () => {
      const view = JSON.parse((await ask(jobsSubmit.subject, mapJob)).text) as { id: string };
      const seen = JSON.parse((await ask(jobsGet.subject, { job: view.id })).text) as unknown;
      expect(seen).toEqual((await get(`/v1/jobs/${view.id}`)).body);
      expect(JSON.parse((await ask(jobsList.subject, { limit: 1 })).text)).toMatchObject({ jobs: [{ id: view.id }] });
      expect(JSON.parse((await ask(jobsCancel.subject, { job: 'last' })).text)).toMatchObject({
        id: view.id,
        state: 'cancelled',
      });
    });

    it('the pages of a result are the bytes of REST', async () => {
      const job = await submitted();
      for (let item = 0; item < 8; item++) door.store.commit(job, 'map', item, [`{"n":${item}, "s":"é"}`]);
      door.store.end(job, 'succeeded');
      let all = '';
      let cursor: string | undefined;
      for (let pages = 0; pages === 0 || cursor !== undefined; pages++) {
        const page = await ask(jobsResults.subject, { job: idOf(job), cursor, waitMs: 1_000 });
        all += page.text;
        cursor = page.next;
      }
      expect(all).toBe(await text(`/v1/jobs/${idOf(job)}/results`));
    });

    it('what is wrong is told by the same codes', async () => {
      const told = async (subject: string, body: unknown) =>
        JSON.parse((await ask(subject, body)).text) as { code: string; field?: string };
      expect(await told(jobsSubmit.subject, { code: { text: '' } })).toMatchObject({ code: 'SCRIPT_EMPTY' });
      expect(await told(jobsSubmit.subject, { ...mapJob, retries: -1 })).toMatchObject({
        code: 'REQUEST_INVALID',
        field: 'retries',
      });
      expect(await told(jobsGet.subject, { job: jobId('j-none') })).toMatchObject({ code: 'JOB_NOT_FOUND' });
      expect(await told(jobsResults.subject, { job: idOf(await submitted()) })).toMatchObject({
        code: 'JOB_UNFINISHED',
      });
      expect(await told(jobsResults.subject, { job: 'last', cursor: 'x' })).toMatchObject({
        code: 'REQUEST_INVALID',
        field: 'cursor',
      });
    });
  });
});

/** A response read while it is being sent. */
async function followed(url: string): Promise<{ next(lines: number): Promise<string>; rest(): Promise<string> }> {
  const response = await fetch(url, { headers: { authorization: `Bearer ${restToken}` } });
  if (!response.ok || response.body === null) throw new Error(`${response.status} ${await response.text()}`);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  return {
    async next(lines) {
      let seen = '';
      while (seen.split('\n').length <= lines) seen += (await reader.read()).value ?? '';
      return seen;
    },
    async rest() {
      let seen = '';
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return seen;
        seen += value;
      }
    },
  };
}
