import { ascii } from '../golden.fixture.js';
import { Bench, at, vsn } from './bench.fixture.js';
import type { Node } from './node.js';

describe('a probe', () => {
  it('that is answered keeps the member and restores health by one', () => {
    const bench = new Bench(1);
    bench.node.awareness.apply(2);
    const ping = bench.untilPing();
    expect([ping.to, ping.seqNo, ping.crc]).toEqual([2, 1, true]);
    bench.now = ping.at + 7;
    bench.hear({ kind: 'ack', seqNo: 1, payload: ascii('load') });
    expect([bench.state(2), bench.score]).toEqual(['alive', 1]);
    expect(bench.effects.at(-1)).toMatchObject({ kind: 'probed', rttMs: expect.closeTo(7, 6), payload: ascii('load') });
  });

  it('without an answer asks others and a stream after its timeout, and accuses at its end', () => {
    const bench = new Bench(3);
    const { to, seqNo, at: began } = bench.untilPing();
    const others = [2, 3, 4].filter((peer) => peer !== to);
    const before = bench.sent.length;
    bench.pass(498);
    expect(bench.sent.length).toBe(before);
    bench.pass(2);
    expect(bench.sentSince(before).sort()).toEqual(others.map((peer) => `indirectPing → ${peer}`));
    expect(bench.sent.at(-1)?.messages[0]).toMatchObject({
      seqNo,
      node: `p${to}`,
      nack: true,
      sourceNode: 'me',
      ...{ target: at(to).addr },
    });
    expect(bench.effects.find(({ kind }) => kind === 'streamPing')).toMatchObject({
      node: `p${to}`,
      seqNo,
      deadline: began + 1_000,
    });
    expect(bench.state(to)).toBe('alive');
    bench.pass(1_000);
    expect(bench.state(to)).toBe('suspect');
  });

  it.each([
    ['a relayed ack', (bench: Bench, seqNo: number) => bench.hear({ kind: 'ack', seqNo, payload: undefined }, at(3))],
    ['a stream', (bench: Bench, seqNo: number) => bench.run({ kind: 'streamPinged', seqNo, answered: true })],
  ])('is saved by %s', (_, answer) => {
    const bench = new Bench(3);
    const { to, seqNo } = bench.untilPing();
    bench.pass(600);
    answer(bench, seqNo);
    bench.pass(450);
    expect([bench.state(to), bench.effects.some(({ kind }) => kind === 'probed')]).toEqual(['alive', false]);
  });

  it('is not ended by a nack: the ack may still come', () => {
    const bench = new Bench(3);
    const { to, seqNo } = bench.untilPing();
    bench.pass(600);
    bench.hear({ kind: 'nack', seqNo }, at(3));
    expect(bench.node.probe?.seqNo).toBe(seqNo);
    bench.hear({ kind: 'ack', seqNo, payload: undefined }, at(4));
    expect(bench.node.probe).toBeUndefined();
    bench.pass(600);
    expect(bench.state(to)).toBe('alive');
  });

  it('counts in 32 bits', () => {
    const bench = new Bench(1);
    bench.node.seqNo = 0xffff_ffff;
    expect(bench.untilPing().seqNo).toBe(0);
  });

  it('is not saved by an ack of another number', () => {
    const bench = new Bench(1);
    const { seqNo } = bench.untilPing();
    bench.hear({ kind: 'ack', seqNo: seqNo + 1, payload: undefined });
    bench.run({ kind: 'streamPinged', seqNo: seqNo + 1, answered: true });
    bench.pass(1_000);
    expect(bench.state(2)).toBe('suspect');
  });

  it('goes to the others at once when its datagram cannot be sent, and then says nothing of our health', () => {
    const bench = new Bench(3);
    bench.node.awareness.apply(2);
    const { to, seqNo } = bench.untilPing();
    const before = bench.sent.length;
    bench.run({ kind: 'sendFailed', seqNo });
    expect(bench.sentSince(before)).toHaveLength(2);
    bench.hear({ kind: 'ack', seqNo, payload: undefined });
    expect([bench.state(to), bench.score]).toEqual(['alive', 2]);
  });

  it('of a suspect carries the accusation, so that it can refute', () => {
    const bench = new Bench(1, { suspicionMult: 10 });
    bench.hear({ kind: 'suspect', node: 'p2', incarnation: 1, from: 'x' });
    bench.node.queue.reset();
    const { messages } = bench.untilPing();
    expect(messages).toMatchObject([{ kind: 'ping' }, { kind: 'suspect', node: 'p2', incarnation: 1, from: 'me' }]);
  });

  it('skips ourselves, the dead and the left', () => {
    const bench = new Bench(4);
    bench.hear({ kind: 'dead', node: 'p2', incarnation: 1, from: 'x' });
    bench.hear({ kind: 'dead', node: 'p3', incarnation: 1, from: 'p3' });
    bench.pass(20_000);
    const probed = new Set(bench.sent.filter(({ messages }) => messages[0]?.kind === 'ping').map(({ to }) => to));
    expect([...probed].sort()).toEqual([4, 5]);
  });

  it('is never one of two at a time, and takes longer the iller we are', () => {
    const bench = new Bench(1, { disableTcpPings: true, suspicionMult: 50 });
    const first = bench.untilPing();
    bench.hear({ kind: 'ack', seqNo: first.seqNo, payload: undefined });
    bench.node.awareness.apply(1);
    const second = bench.untilPing();
    bench.pass(1_990);
    expect(bench.state(2)).toBe('alive');
    const pings = bench.sent.filter(({ at: time }) => time > second.at && time < second.at + 1_990);
    expect(pings).toEqual([]);
    bench.pass(20);
    expect(bench.state(2)).toBe('suspect');
  });
});

describe('our health after a failed probe', () => {
  const fail = (nacks: number, peerVsn = vsn): number => {
    const bench = new Bench(4, {}, {}, peerVsn);
    const { seqNo } = bench.untilPing();
    bench.pass(600);
    for (let i = 0; i < nacks; i++) bench.hear({ kind: 'nack', seqNo });
    bench.pass(450);
    expect([2, 3, 4, 5].some((peer) => bench.state(peer) === 'suspect')).toBe(true);
    return bench.score;
  };

  it('is unchanged when all relays nack, worse by each missing nack, and by one without nacks', () => {
    expect([fail(3), fail(2), fail(0), fail(9)]).toEqual([0, 1, 3, 0]);
    expect(fail(0, new Uint8Array(0))).toBe(1);
  });
});

describe('the wait for confirmations', () => {
  it.each([
    [1, 0, 500],
    [2, 0, 500],
    [3, 0, 500],
    [4, 0, 1_000],
    [5, 0, 1_000],
    [5, 1, 750],
    [5, 2, 604],
    [5, 3, 500],
    [5, 4, 500],
  ])('with %i peers and %i confirmations is %i ms', (peers, confirmations, ms) => {
    const probeNever = { probeTimeoutMs: 50, probeIntervalMs: 100, disableTcpPings: true };
    const bench = new Bench(peers, { ...probeNever, suspicionMult: 5, suspicionMaxTimeoutMult: 2 });
    // Ourselves silent: only the accusations of the test count.
    bench.node.probe = {
      ...{ seqNo: 0, startedAt: 0, deadline: Infinity, stage: 'indirect', sendFailed: false },
      ...{ expectedNacks: 0, nacks: 0, streamAnswered: false, tainted: false, target: bench.node.table.all[0] },
    } as Node['probe'];
    bench.hear({ kind: 'suspect', node: 'p2', incarnation: 1, from: 'x0' });
    for (let i = 1; i <= confirmations; i++) bench.hear({ kind: 'suspect', node: 'p2', incarnation: 1, from: `x${i}` });
    bench.pass(ms - 2);
    expect(bench.state(2)).toBe('suspect');
    bench.pass(4);
    expect(bench.state(2)).toBe('dead');
  });
});
