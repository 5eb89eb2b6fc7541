import { Fault, announcement, nodeAnnouncement, nodeOperation, operation } from '@das/contracts';
import { nodeId } from '@das/kernel';
import { FakeClock, settled } from '@das/testing';
import { z } from 'zod';
import { MemoryHub } from '../memory/hub.js';
import type { BusMessage } from '../ports/message-bus.js';
import type { CallContext } from '../ports/service-bus.js';
import { ServiceBusOver } from './service-bus-over.js';

const double = operation(
  'jobs.double',
  z.object({ n: z.number().int().min(0).default(1) }),
  z.object({ n: z.number() }),
);
const page = operation('jobs.page', z.object({}), z.object({ next: z.string().optional(), count: z.number() }));
const ping = nodeOperation('execution', 'ping', z.object({}), z.object({ node: z.string() }));
const beat = announcement('telemetry.beat', z.object({ n: z.number() }));

const ready = nodeAnnouncement('execution', 'ready', z.object({ n: z.number() }));

/** Two services on one hub, with a clock of the test's. */
function bench() {
  const clock = new FakeClock();
  const hub = new MemoryHub(clock);
  let ids = 0;
  const lines: { level: string; fields: Record<string, unknown>; text: string }[] = [];
  const line = (level: string) => (fields: object, text: string) =>
    void lines.push({ level, fields: { ...fields }, text });
  const log = { warn: line('warn'), error: line('error') };
  const service = (node: string, name: string) =>
    new ServiceBusOver(hub.connect(), { node: nodeId(node), service: name }, clock, () => `id-${++ids}`, { log });
  return {
    clock,
    hub,
    raw: hub.connect(),
    lines,
    service,
    caller: service('n1', 'cli'),
    answerer: service('n2', 'store'),
  };
}

const faultOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => 'no fault',
    (error: unknown) => error,
  );
const json = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));
const parsed = (message: BusMessage): unknown => JSON.parse(Buffer.from(message.payload).toString());

describe('ServiceBusOver: the instance next door', () => {
  const named = async (on: ServiceBusOver, n: number) => {
    const asked: number[] = [];
    await on.answer(double, async (body) => {
      asked.push(body.n);
      return { n };
    });
    return asked;
  };

  it('is asked first, though others serve the same queue', async () => {
    const { caller, answerer, service } = bench();
    const far = await named(answerer, 2);
    const near = await named(service('n1', 'store'), 1);
    for (let call = 0; call < 5; call += 1) expect((await caller.call(double, { n: call })).body).toEqual({ n: 1 });
    expect([near.length, far.length]).toEqual([5, 0]);
  });

  it('is passed over for a while when it has no store, and asked again then', async () => {
    const { caller, answerer, raw, clock } = bench();
    const far = await named(answerer, 2);
    let near = 0;
    await raw.subscribe('das.v1.jobs.n1.double', {}, async () => {
      near += 1;
      throw new Fault('STORE_UNAVAILABLE', 'the database is away');
    });
    for (let call = 0; call < 3; call += 1) expect((await caller.call(double, { n: call })).body).toEqual({ n: 2 });
    expect([near, far]).toEqual([1, [0, 1, 2]]);
    clock.advance(3_000);
    await caller.call(double, { n: 3 });
    expect(near).toBe(2);
  });

  it('that does not answer leaves half of the time to the others', async () => {
    const { caller, answerer, service, clock } = bench();
    await named(answerer, 2);
    const silent = await service('n1', 'store').answer(double, () => new Promise(() => undefined));
    const call = caller.call(double, { n: 1 }, { timeoutMs: 1_000 });
    await settled();
    silent();
    clock.advance(500);
    expect((await call).body).toEqual({ n: 2 });
  });

  it('keeps its own refusals: nobody else is asked', async () => {
    const { caller, answerer, service } = bench();
    const far = await named(answerer, 2);
    await service('n1', 'store').answer(double, async () => {
      throw new Fault('JOB_NOT_FOUND', 'no such job');
    });
    expect(await faultOf(caller.call(double, { n: 1 }))).toMatchObject({ code: 'JOB_NOT_FOUND' });
    expect(far).toEqual([]);
  });
});

describe('ServiceBusOver: calls', () => {
  it('asks and is answered, with defaults of the schema filled in and the caller named', async () => {
    const { caller, answerer } = bench();
    const contexts: CallContext[] = [];
    await answerer.answer(double, async ({ n }, context) => {
      contexts.push(context);
      return { n: n * 2 };
    });
    expect((await caller.call(double, { n: 21 })).body).toEqual({ n: 42 });
    expect((await caller.call(double, {} as { n: number })).body).toEqual({ n: 2 });
    expect(contexts[0]).toMatchObject({ from: 'n1/cli', traceparent: undefined });
    expect(contexts[0]?.id).not.toBe('');
    expect(contexts[0]?.raw.byteLength).toBe(0);
  });

  it('carries a raw block both ways', async () => {
    const { caller, answerer } = bench();
    await answerer.answer(page, async (_body, { raw }) => ({
      body: { count: raw.byteLength },
      raw: Buffer.from(raw).reverse(),
    }));
    const answer = await caller.call(page, {}, { raw: Uint8Array.of(0, 255, 10, 13) });
    expect(answer.body).toEqual({ count: 4 });
    expect([...answer.raw]).toEqual([13, 10, 255, 0]);
  });

  it("addresses a node operation to that node's instance, and to its own without one", async () => {
    const { service } = bench();
    const [one, two] = [service('n1', 'executor'), service('n2', 'executor')];
    await one.answer(ping, async () => ({ node: 'n1' }));
    await two.answer(ping, async () => ({ node: 'n2' }));
    expect((await one.call(ping, {}, { node: nodeId('n2') })).body).toEqual({ node: 'n2' });
    expect((await one.call(ping, {})).body).toEqual({ node: 'n1' });
    expect(await faultOf(one.call(ping, {}, { node: nodeId('n3'), timeoutMs: 0 }))).toMatchObject({
      code: 'SERVICE_UNAVAILABLE',
    });
  });

  it('has one instance of a service answer each call', async () => {
    const { caller, service } = bench();
    let answered = 0;
    for (const node of ['n1', 'n2', 'n3']) {
      await service(node, 'store').answer(double, async ({ n }) => {
        answered += 1;
        return { n };
      });
    }
    for (let n = 0; n < 9; n += 1) await caller.call(double, { n });
    expect(answered).toBe(9);
  });

  it('refuses a bad request with the field and what is expected there; the handler does not see it', async () => {
    const { caller, answerer } = bench();
    let seen = 0;
    await answerer.answer(double, async ({ n }) => ({ n: (seen += n) }));
    const fault = await faultOf(caller.call(double, { n: -1 }));
    expect(fault).toBeInstanceOf(Fault);
    expect(fault).toMatchObject({
      code: 'REQUEST_INVALID',
      message: expect.stringContaining('n') as string,
      details: { field: 'n', expected: expect.stringContaining('0') as string },
    });
    expect(seen).toBe(0);
  });

  it('names a defect when the answer does not fit the contract', async () => {
    const { caller, answerer } = bench();
    await answerer.answer(double, async () => ({ n: 'x' }) as unknown as { n: number });
    expect(await faultOf(caller.call(double, { n: 1 }))).toMatchObject({
      code: 'INTERNAL',
      message: expect.stringContaining('jobs.double') as string,
    });
  });

  it('throws a Fault of the other side again: code, message and details', async () => {
    const { caller, answerer, lines } = bench();
    const details = { field: 'job', expected: 'an id', line: 3, text: 'x', hint: 'look' };
    await answerer.answer(double, () => Promise.reject(new Fault('JOB_NOT_FOUND', 'no job', details)));
    const fault = await faultOf(caller.call(double, { n: 1 }));
    expect(fault).toBeInstanceOf(Fault);
    expect(fault).toMatchObject({ code: 'JOB_NOT_FOUND', message: 'no job', hint: 'look', details });
    expect(lines).toEqual([]);
  });

  it('turns anything else into INTERNAL, with a log line on the answering side and no stack across', async () => {
    const { caller, answerer, lines } = bench();
    await answerer.answer(double, () => Promise.reject(new TypeError('oops')));
    const fault = (await faultOf(caller.call(double, { n: 1 }))) as Fault;
    expect(fault).toMatchObject({ code: 'INTERNAL', message: 'unexpected failure: oops' });
    expect(fault.cause).toBeUndefined();
    expect(lines).toMatchObject([{ level: 'error', fields: { operation: 'jobs.double', from: 'n1/cli' } }]);
  });
});

describe('ServiceBusOver: lost answers', () => {
  it('tries again with the same id until an answer comes', async () => {
    const { caller, answerer, clock } = bench();
    const ids: string[] = [];
    await answerer.answer(double, ({ n }, { id }) => {
      ids.push(id);
      if (ids.length === 3) return Promise.resolve({ n: n * 2 });
      return Promise.reject(new Fault('SERVICE_UNAVAILABLE', 'too busy'));
    });
    const answer = caller.call(double, { n: 4 });
    await clock.advanceAsync(20 + 40);
    expect((await answer).body).toEqual({ n: 8 });
    expect(new Set(ids).size).toBe(1);
    expect(ids).toHaveLength(3);
  });

  it('takes an answer that comes after its patience for that try, also of the instance next door', async () => {
    for (const subject of ['das.v1.jobs.double', 'das.v1.jobs.n1.double']) {
      const { caller, raw, clock } = bench();
      const answers: ((reply: BusMessage) => void)[] = [];
      await raw.subscribe(subject, {}, () => new Promise((resolve) => answers.push(resolve)));
      const call = caller.call(double, { n: 4 }, { timeoutMs: 1_000, tryMs: 300 });
      await clock.advanceAsync(900);
      answers[0]?.({ subject, envelope: {}, payload: json({ n: 8 }) });
      expect((await call).body).toEqual({ n: 8 });
    }
  });

  it('takes no fault of a try that another one has followed', async () => {
    const { caller, raw, answerer, clock } = bench();
    const faults: ((fault: Fault) => void)[] = [];
    await raw.subscribe('das.v1.jobs.n1.double', {}, () => new Promise((_, reject) => faults.push(reject)));
    const answers: (() => void)[] = [];
    await answerer.answer(double, ({ n }) => new Promise((resolve) => answers.push(() => resolve({ n: n * 2 }))));
    const call = caller.call(double, { n: 4 }, { timeoutMs: 1_000, tryMs: 300 });
    await clock.advanceAsync(400);
    faults[0]?.(new Fault('STORE_UNAVAILABLE', 'the database is away'));
    await settled();
    answers[0]?.();
    expect((await call).body).toEqual({ n: 8 });
  });

  it('waits for a service that is still starting', async () => {
    const { caller, answerer, clock } = bench();
    const answer = caller.call(double, { n: 4 });
    await clock.advanceAsync(1_000);
    await answerer.answer(double, async ({ n }) => ({ n }));
    await clock.advanceAsync(500);
    expect((await answer).body).toEqual({ n: 4 });
  });

  it('gives up at its deadline with the fault of the last try', async () => {
    const { caller, answerer, clock, hub } = bench();
    const nobody = faultOf(caller.call(double, { n: 1 }, { timeoutMs: 300 }));
    await clock.advanceAsync(300);
    expect(await nobody).toMatchObject({ code: 'SERVICE_UNAVAILABLE' });

    let asked = 0;
    await answerer.answer(double, () => {
      asked += 1;
      return new Promise(() => undefined);
    });
    const frozen = faultOf(caller.call(double, { n: 1 }, { timeoutMs: 1_000, tryMs: 400 }));
    await clock.advanceAsync(999);
    expect(await Promise.race([frozen, settled()])).toBeUndefined();
    await clock.advanceAsync(1);
    expect(await frozen).toMatchObject({ code: 'REQUEST_TIMEOUT' });
    // Three tries of 400, 400 and the rest, all of which joined the first.
    expect(asked).toBe(1);

    hub.stop();
    const away = faultOf(caller.call(double, { n: 1 }, { timeoutMs: 100 }));
    await clock.advanceAsync(100);
    expect(await away).toMatchObject({ code: 'BUS_UNAVAILABLE' });
    expect(clock.pending).toBe(0);
  });

  it('joins a repeated request with the one that still runs, and runs it again once it is over', async () => {
    const { raw, answerer } = bench();
    let runs = 0;
    let finish: (body: { n: number }) => void = () => undefined;
    await answerer.answer(double, () => {
      runs += 1;
      return new Promise((resolve) => (finish = resolve));
    });
    const request = { subject: double.subject, envelope: { id: 'same' }, payload: json({ n: 1 }) };
    const replies = [1, 2].map(() => raw.request(request, { timeoutMs: 1_000 }));
    await settled();
    finish({ n: 7 });
    expect((await Promise.all(replies)).map(parsed)).toEqual([{ n: 7 }, { n: 7 }]);
    expect(runs).toBe(1);
    const later = raw.request(request, { timeoutMs: 1_000 });
    await settled();
    finish({ n: 8 });
    expect(parsed(await later)).toEqual({ n: 8 });
    expect(runs).toBe(2);
  });

  it('stops trying when it is closed', async () => {
    const { caller, clock } = bench();
    const call = faultOf(caller.call(double, { n: 1 }, { timeoutMs: 60_000 }));
    await clock.advanceAsync(10);
    await caller.close();
    await clock.advanceAsync(1_000);
    expect(await call).toMatchObject({ code: 'BUS_UNAVAILABLE' });
  });
});

describe('ServiceBusOver: plain clients', () => {
  const ask = (bench_: ReturnType<typeof bench>, subject: string, payload: Uint8Array) =>
    bench_.raw.request({ subject, envelope: {}, payload }, { timeoutMs: 1_000 });

  it('takes plain JSON, or nothing, and answers plain JSON that fits the contract', async () => {
    const b = bench();
    await b.answerer.answer(double, async ({ n }) => ({ n: n * 2, secret: 'x' }) as { n: number });
    const reply = await ask(b, double.subject, json({ n: 5 }));
    expect(parsed(reply)).toEqual({ n: 10 });
    expect(reply.headers).toBeUndefined();
    expect(parsed(await ask(b, double.subject, new Uint8Array(0)))).toEqual({ n: 2 });
  });

  it('answers an operation with a raw block by the block alone, its body as headers, also when it is empty', async () => {
    const b = bench();
    let raw = Buffer.from('{"a":1}\n');
    await b.answerer.answer(page, async () => ({ body: { next: 'é-2', count: 3 }, raw }));
    const reply = await ask(b, page.subject, json({}));
    expect(Buffer.from(reply.payload).toString()).toBe('{"a":1}\n');
    expect(reply.headers).toEqual({ 'das-next': 'é-2', 'das-count': '3' });
    raw = Buffer.alloc(0);
    expect((await ask(b, page.subject, json({}))).payload.byteLength).toBe(0);
  });

  it('answers a fault by a problem document', async () => {
    const b = bench();
    await b.answerer.answer(double, async ({ n }) => ({ n }));
    for (const payload of [json({ n: 'x' }), Buffer.from('{"n":')]) {
      const reply = await ask(b, double.subject, payload);
      expect(parsed(reply)).toMatchObject({
        type: 'urn:das-node:error:REQUEST_INVALID',
        code: 'REQUEST_INVALID',
        status: 400,
        title: 'The request is not valid',
        expected: expect.any(String) as string,
      });
      expect(reply.headers).toMatchObject({ 'das-error': 'REQUEST_INVALID' });
    }
  });

  it('refuses a body longer than the message', async () => {
    const b = bench();
    await b.answerer.answer(double, async ({ n }) => ({ n }));
    const lying = { subject: double.subject, envelope: {}, payload: json({}), bodyBytes: 99 };
    expect(parsed(await b.raw.request(lying, { timeoutMs: 1_000 }))).toMatchObject({ code: 'REQUEST_INVALID' });
  });
});

describe('ServiceBusOver: announcements', () => {
  /** What a hearer of `beat` was told: numbers, and `gap` before one that followed a loss. */
  async function hearing(b: ReturnType<typeof bench>) {
    const told: (number | string)[] = [];
    const cancel = await b.answerer.hear(
      beat,
      ({ n }, context) => {
        expect(context.gap ?? false).toBe(told.at(-1) === 'gap');
        told.push(n);
      },
      { onGap: () => told.push('gap') },
    );
    return { told, cancel };
  }

  it('tells every listener in order, until it cancels', async () => {
    const b = bench();
    const { told, cancel } = await hearing(b);
    for (const n of [1, 2, 3]) b.caller.tell(beat, { n });
    await settled();
    expect(told).toEqual([1, 2, 3]);
    cancel();
    await settled();
    b.caller.tell(beat, { n: 4 });
    await settled();
    expect(told).toEqual([1, 2, 3]);
  });

  it('tells what concerns one node to that node alone, its own unless another is named, and numbers each node apart', async () => {
    const { caller, answerer, service } = bench();
    const heard: string[] = [];
    const gaps: string[] = [];
    for (const bus of [caller, answerer, service('n1', 'other')])
      await bus.hear(ready, ({ n }) => heard.push(`${bus.node}/${bus.service} ${n}`), {
        onGap: (from) => gaps.push(from),
      });
    caller.tell(ready, { n: 1 });
    caller.tell(ready, { n: 2 }, { node: nodeId('n2') });
    caller.tell(ready, { n: 3 });
    await settled();
    expect(heard.sort()).toEqual(['n1/cli 1', 'n1/cli 3', 'n1/other 1', 'n1/other 3', 'n2/store 2']);
    expect(gaps).toEqual([]);
  });

  it('counts per sender and subject, and drops a repeated announcement', async () => {
    const b = bench();
    const sent: BusMessage[] = [];
    await b.raw.subscribe(beat.subject, {}, async (message) => {
      sent.push(message);
      return undefined;
    });
    const { told } = await hearing(b);
    b.caller.tell(beat, { n: 1 });
    b.service('n3', 'x').tell(beat, { n: 10 });
    b.caller.tell(beat, { n: 2 });
    await settled();
    expect(sent.map(({ envelope }) => [envelope.from, envelope.seq])).toEqual([
      ['n1/cli', 1],
      ['n3/x', 1],
      ['n1/cli', 2],
    ]);
    for (const message of sent.slice(0, 3)) await b.raw.publish(message);
    await settled();
    expect(told).toEqual([1, 10, 2]);
  });

  it('reports what was lost while the bus was away, before the next one; telling never throws', async () => {
    const b = bench();
    const { told } = await hearing(b);
    b.caller.tell(beat, { n: 1 });
    await settled();
    b.hub.stop();
    b.caller.tell(beat, { n: 2 });
    await settled();
    b.hub.start();
    b.caller.tell(beat, { n: 3 });
    await settled();
    expect(told).toEqual([1, 'gap', 3]);
    expect(b.lines).toEqual([]);
  });

  it('reports a sender that restarted', async () => {
    const b = bench();
    const { told } = await hearing(b);
    b.service('n3', 'x').tell(beat, { n: 1 });
    b.service('n3', 'x').tell(beat, { n: 2 });
    await settled();
    expect(told).toEqual([1, 'gap', 2]);
  });

  it('drops what does not fit the contract, with a warning, and goes on', async () => {
    const b = bench();
    const { told } = await hearing(b);
    await b.raw.publish({ subject: beat.subject, envelope: {}, payload: json({ n: 'x' }) });
    await b.raw.publish({ subject: beat.subject, envelope: {}, payload: Buffer.from('no JSON') });
    await b.raw.publish({ subject: beat.subject, envelope: {}, payload: json({ n: 5 }) });
    await settled();
    expect(told).toEqual([5]);
    expect(b.lines.map(({ level, text }) => [level, text])).toEqual([
      ['warn', 'announcement dropped'],
      ['warn', 'announcement dropped'],
    ]);
  });
});
