import { Fault, limits } from '@das/contracts';
import { faultOfReply } from '../rpc.js';
import type { BusMessage, MessageBus } from './message-bus.js';

/** What a contract test is given: connections to one server, and the server's switch. */
export interface BusHarness {
  connect(): Promise<MessageBus>;
  stopServer(): Promise<void>;
  startServer(): Promise<void>;
}

const bytes = (text: string): Uint8Array => Buffer.from(text);
const textOf = (message: BusMessage): string => Buffer.from(message.payload).toString();
const message = (subject: string, text: string, envelope: BusMessage['envelope'] = {}): BusMessage => ({
  subject,
  envelope,
  payload: bytes(text),
});
const codeOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'no fault',
    (error: unknown) => (error instanceof Fault ? error.code : `not a Fault: ${String(error)}`),
  );

/** Collects what a subscription gets; `until(n)` resolves once there are n. */
function collector() {
  const got: BusMessage[] = [];
  let wake: () => void = () => undefined;
  return {
    got,
    handler: async (received: BusMessage) => {
      got.push(received);
      wake();
      return undefined;
    },
    until: async (count: number) => {
      while (got.length < count) await new Promise<void>((resolve) => (wake = resolve));
      return got;
    },
  };
}

/** Every adapter of {@link MessageBus} passes this. `start` is asked once per test. */
export function messageBusContract(name: string, start: () => Promise<BusHarness>): void {
  describe(`MessageBus contract: ${name}`, () => {
    const open: MessageBus[] = [];
    let harness: BusHarness;
    const connect = async (): Promise<MessageBus> => {
      const bus = await harness.connect();
      open.push(bus);
      return bus;
    };
    beforeEach(async () => {
      harness = await start();
    });
    afterEach(async () => {
      await Promise.all(open.splice(0).map((bus) => bus.close()));
    });

    it('delivers a message to every subscriber without a queue, envelope, headers and payload unchanged', async () => {
      const [sender, one, two] = [await connect(), await connect(), await connect()];
      const [first, second] = [collector(), collector()];
      await one.subscribe('t.all', {}, first.handler);
      await two.subscribe('t.all', {}, second.handler);
      const envelope = {
        id: 'i-1',
        type: 't.all',
        from: 'n1/test',
        sentAt: 1_700_000_000_123,
        epoch: 'e',
        seq: 7,
        traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
        causedBy: 'i-0',
      };
      const sent = {
        subject: 't.all',
        envelope,
        payload: bytes('{"größe":"Ä€😀"}\u0000\u00ff'),
        bodyBytes: 3,
        headers: { 'x-note': 'größe €😀' },
      };
      await sender.publish(sent);
      for (const to of [first, second]) {
        const [received] = await to.until(1);
        expect(received).toMatchObject({ subject: 't.all', envelope, bodyBytes: 3, headers: { 'x-note': 'größe €😀' } });
        expect(Buffer.from(received?.payload ?? [])).toEqual(Buffer.from(sent.payload));
      }
    });

    it('matches * with one token and a last > with one or more', async () => {
      const [sender, hearer] = [await connect(), await connect()];
      const [star, rest] = [collector(), collector()];
      await hearer.subscribe('w.*.c', {}, star.handler);
      await hearer.subscribe('w.>', {}, rest.handler);
      for (const subject of ['w.b.c', 'w.b', 'w', 'w.b.c.d', 'w.x.c']) await sender.publish(message(subject, subject));
      await rest.until(4);
      expect(rest.got.map((m) => m.subject)).toEqual(['w.b.c', 'w.b', 'w.b.c.d', 'w.x.c']);
      expect(star.got.map((m) => m.subject)).toEqual(['w.b.c', 'w.x.c']);
    });

    it('gives each message of a queue to exactly one member, and every member some', async () => {
      const sender = await connect();
      const members = await Promise.all([connect(), connect(), connect()]);
      const counts = members.map(() => 0);
      for (const [at, member] of members.entries()) {
        await member.subscribe('q.work', { queue: 'workers' }, async (received) => {
          counts[at] = (counts[at] ?? 0) + 1;
          return { payload: received.payload };
        });
      }
      const other = collector();
      await sender.subscribe('q.work', { queue: 'watchers' }, other.handler);
      const asked = Array.from({ length: 200 }, (_, n) => String(n));
      for (const n of asked) await sender.publish(message('q.work', n));
      await other.until(asked.length);
      for (const member of members) await member.request(message('q.work', 'end'), { timeoutMs: 5_000 });
      await other.until(asked.length + members.length);
      // Closing waits for deliveries under way.
      await Promise.all(members.map((member) => member.close()));
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(asked.length + members.length);
      expect(Math.min(...counts)).toBeGreaterThan(0);
    });

    it('answers a request by what the handler resolves to', async () => {
      const [caller, answerer] = [await connect(), await connect()];
      await answerer.subscribe('r.echo', {}, async (received, wantsReply) => ({
        payload: bytes(`${textOf(received)}!${String(wantsReply)}`),
        bodyBytes: 2,
        headers: { 'das-next': 'ü 1' },
      }));
      const reply = await caller.request(message('r.echo', 'hé'), { timeoutMs: 5_000 });
      expect(textOf(reply)).toBe('hé!true');
      expect(reply.bodyBytes).toBe(2);
      expect(reply.headers).toEqual({ 'das-next': 'ü 1' });
    });

    it('keeps many requests in flight apart', async () => {
      const [caller, answerer] = [await connect(), await connect()];
      await answerer.subscribe('r.many', {}, async (received) => ({ payload: received.payload }));
      const texts = Array.from({ length: 300 }, (_, n) => `n${n}`);
      const replies = await Promise.all(texts.map((t) => caller.request(message('r.many', t), { timeoutMs: 10_000 })));
      expect(replies.map(textOf)).toEqual(texts);
    });

    it('says at once that nobody listens', async () => {
      const caller = await connect();
      // A deadline far beyond the test's own: only an answer at once passes.
      expect(await codeOf(caller.request(message('r.nobody', ''), { timeoutMs: 600_000 }))).toBe('SERVICE_UNAVAILABLE');
    });

    it('gives up on a request at its deadline', async () => {
      const [caller, answerer] = [await connect(), await connect()];
      let release: () => void = () => undefined;
      await answerer.subscribe('r.slow', {}, () => new Promise((resolve) => (release = () => resolve(undefined))));
      expect(await codeOf(caller.request(message('r.slow', ''), { timeoutMs: 30 }))).toBe('REQUEST_TIMEOUT');
      release();
    });

    it('answers by an error reply when the handler rejects: the code of a Fault, else INTERNAL, never a stack', async () => {
      const [caller, answerer] = [await connect(), await connect()];
      await answerer.subscribe('r.fault', {}, () =>
        Promise.reject(new Fault('JOB_NOT_FOUND', 'no job x', { field: 'job', expected: 'an id', hint: 'das jobs' })),
      );
      await answerer.subscribe('r.bug', {}, () => Promise.reject(new TypeError('oops')));
      const fault = faultOfReply(await caller.request(message('r.fault', ''), { timeoutMs: 5_000 }));
      expect(fault).toMatchObject({
        code: 'JOB_NOT_FOUND',
        message: 'no job x',
        hint: 'das jobs',
        details: { field: 'job', expected: 'an id' },
      });
      const bug = await caller.request(message('r.bug', ''), { timeoutMs: 5_000 });
      expect(faultOfReply(bug)?.code).toBe('INTERNAL');
      expect(textOf(bug)).not.toContain('at ');
    });

    it('refuses a message beyond the payload limit before it is sent, and works on', async () => {
      const [caller, answerer] = [await connect(), await connect()];
      const seen = collector();
      await answerer.subscribe('r.large', {}, async (received) => {
        await seen.handler(received);
        return { payload: new Uint8Array(Number(textOf(received))) };
      });
      const tooLarge = { subject: 'r.large', envelope: {}, payload: new Uint8Array(limits.payloadBytesMax + 1) };
      expect(await codeOf(caller.request(tooLarge, { timeoutMs: 5_000 }))).toBe('PAYLOAD_TOO_LARGE');
      expect(await codeOf(caller.publish(tooLarge))).toBe('PAYLOAD_TOO_LARGE');
      const reply = await caller.request(message('r.large', String(limits.payloadBytesMax + 1)), { timeoutMs: 5_000 });
      expect(faultOfReply(reply)?.code).toBe('PAYLOAD_TOO_LARGE');
      const most = await caller.request(message('r.large', String(limits.payloadBytesMax)), { timeoutMs: 5_000 });
      expect(most.payload.byteLength).toBe(limits.payloadBytesMax);
      expect(seen.got).toHaveLength(2);
    });

    it('counts headers against the payload limit', async () => {
      const [caller, hearer] = [await connect(), await connect()];
      const seen = collector();
      await hearer.subscribe('r.exact', {}, seen.handler);
      const fits = { subject: 'r.exact', envelope: {}, payload: new Uint8Array(limits.payloadBytesMax) };
      await caller.publish(fits);
      await seen.until(1);
      expect(await codeOf(caller.publish({ ...fits, envelope: { id: 'i' } }))).toBe('PAYLOAD_TOO_LARGE');
    });

    it('carries a raw mebibyte of every byte both ways', async () => {
      const [caller, answerer] = [await connect(), await connect()];
      await answerer.subscribe('r.raw', {}, async (received) => ({ payload: received.payload }));
      const payload = Uint8Array.from({ length: limits.pageBytesMax }, (_, n) => (n * 31) % 256);
      const reply = await caller.request({ subject: 'r.raw', envelope: {}, payload }, { timeoutMs: 10_000 });
      expect(Buffer.compare(Buffer.from(reply.payload), Buffer.from(payload))).toBe(0);
    });

    it('keeps the order of one sender on one subject', async () => {
      const [sender, hearer] = [await connect(), await connect()];
      const seen = collector();
      await hearer.subscribe('o.s', {}, seen.handler);
      const texts = Array.from({ length: 1_000 }, (_, n) => String(n));
      for (const text of texts) void sender.publish(message('o.s', text));
      expect((await seen.until(texts.length)).map(textOf)).toEqual(texts);
    });

    it('runs no handler before publish has returned to the sender', async () => {
      const bus = await connect();
      const seen = collector();
      await bus.subscribe('o.self', {}, seen.handler);
      const publishing = bus.publish(message('o.self', 'x'));
      expect(seen.got).toHaveLength(0);
      await publishing;
      await seen.until(1);
    });

    it('delivers nothing to a closed subscription, while others go on', async () => {
      const [caller, answerer] = [await connect(), await connect()];
      const closed = await answerer.subscribe('c.sub', {}, async () => ({ payload: bytes('old') }));
      await closed.close();
      await closed.close();
      expect(await codeOf(caller.request(message('c.sub', ''), { timeoutMs: 600_000 }))).toBe('SERVICE_UNAVAILABLE');
      await answerer.subscribe('c.sub', {}, async () => ({ payload: bytes('new') }));
      expect(textOf(await caller.request(message('c.sub', ''), { timeoutMs: 5_000 }))).toBe('new');
    });

    it('lets running handlers end, and use the bus, before it closes', async () => {
      const [caller, answerer] = [await connect(), await connect()];
      await caller.subscribe('c.further', {}, async () => ({ payload: bytes('further') }));
      let release: () => void = () => undefined;
      let entered: () => void = () => undefined;
      const running = new Promise<void>((resolve) => (entered = resolve));
      await answerer.subscribe('c.drain', {}, async () => {
        entered();
        await new Promise<void>((resolve) => (release = resolve));
        return { payload: (await answerer.request(message('c.further', ''), { timeoutMs: 5_000 })).payload };
      });
      const asked = caller.request(message('c.drain', ''), { timeoutMs: 5_000 });
      await running;
      const closing = answerer.close();
      release();
      await closing;
      expect(textOf(await asked)).toBe('further');
    });

    it('is of no use after it was closed, and may be closed again', async () => {
      const bus = await connect();
      await bus.close();
      await bus.close();
      expect(bus.connected).toBe(false);
      expect(await codeOf(bus.publish(message('c.x', '')))).toBe('BUS_UNAVAILABLE');
      expect(await codeOf(bus.request(message('c.x', ''), { timeoutMs: 100 }))).toBe('BUS_UNAVAILABLE');
      expect(await codeOf(bus.subscribe('c.x', {}, async () => undefined))).toBe('BUS_UNAVAILABLE');
    });

    it('tells of a lost server, sends nothing meanwhile, and keeps its subscriptions when it is back', async () => {
      const [caller, answerer] = [await connect(), await connect()];
      await answerer.subscribe('s.echo', { queue: 'q' }, async (received) => ({ payload: received.payload }));
      const ups = [caller, answerer].map((bus) => changes(bus));
      const cancelled: boolean[] = [];
      caller.onConnection((up) => cancelled.push(up))();
      await harness.stopServer();
      for (const up of ups) expect(await up.next()).toBe(false);
      expect(caller.connected).toBe(false);
      expect(await codeOf(caller.publish(message('s.echo', '')))).toBe('BUS_UNAVAILABLE');
      expect(await codeOf(caller.request(message('s.echo', ''), { timeoutMs: 60_000 }))).toBe('BUS_UNAVAILABLE');
      await harness.startServer();
      for (const up of ups) expect(await up.next()).toBe(true);
      expect(caller.connected).toBe(true);
      expect(textOf(await caller.request(message('s.echo', 'again'), { timeoutMs: 5_000 }))).toBe('again');
      expect(cancelled).toEqual([]);
    }, 20_000);
  });
}

/** A bus's connection changes, one by one. */
function changes(bus: MessageBus): { next(): Promise<boolean> } {
  const seen: boolean[] = [];
  let wake: () => void = () => undefined;
  bus.onConnection((up) => {
    seen.push(up);
    wake();
  });
  return {
    next: async () => {
      while (seen.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      return seen.shift() === true;
    },
  };
}
