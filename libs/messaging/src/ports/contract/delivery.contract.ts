import { type Bench, bytes, collector, message, textOf } from './tools.contract.js';

/** What is published arrives: whole, where it is addressed to, in order. */
export function deliveryContract(bench: Bench): void {
  it('delivers a message to every subscriber without a queue, envelope, headers and payload unchanged', async () => {
    const [sender, one, two] = [await bench().connect(), await bench().connect(), await bench().connect()];
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
      expect(received).toMatchObject({
        subject: 't.all',
        envelope,
        bodyBytes: 3,
        headers: { 'x-note': 'größe €😀' },
      });
      expect(Buffer.from(received?.payload ?? [])).toEqual(Buffer.from(sent.payload));
    }
  });

  it('matches * with one token and a last > with one or more', async () => {
    const [sender, hearer] = [await bench().connect(), await bench().connect()];
    const [star, rest] = [collector(), collector()];
    await hearer.subscribe('w.*.c', {}, star.handler);
    await hearer.subscribe('w.>', {}, rest.handler);
    for (const subject of ['w.b.c', 'w.b', 'w', 'w.b.c.d', 'w.x.c']) await sender.publish(message(subject, subject));
    await rest.until(4);
    expect(rest.got.map((m) => m.subject)).toEqual(['w.b.c', 'w.b', 'w.b.c.d', 'w.x.c']);
    expect(star.got.map((m) => m.subject)).toEqual(['w.b.c', 'w.x.c']);
  });

  it('gives each message of a queue to exactly one member, and every member some', async () => {
    const sender = await bench().connect();
    const members = await Promise.all([bench().connect(), bench().connect(), bench().connect()]);
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
}

/** Of one sender, and of a sender's own turn. */
export function orderContract(bench: Bench): void {
  it('keeps the order of one sender on one subject', async () => {
    const [sender, hearer] = [await bench().connect(), await bench().connect()];
    const seen = collector();
    await hearer.subscribe('o.s', {}, seen.handler);
    const texts = Array.from({ length: 1_000 }, (_, n) => String(n));
    for (const text of texts) void sender.publish(message('o.s', text));
    expect((await seen.until(texts.length)).map(textOf)).toEqual(texts);
  });

  it('runs no handler before publish has returned to the sender', async () => {
    const bus = await bench().connect();
    const seen = collector();
    await bus.subscribe('o.self', {}, seen.handler);
    const publishing = bus.publish(message('o.self', 'x'));
    expect(seen.got).toHaveLength(0);
    await publishing;
    await seen.until(1);
  });
}
