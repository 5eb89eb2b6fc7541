import { ascii } from '../golden.fixture.js';
import { type MapMessage, type Message, decodeMessage } from './codec/message.js';
import { type Config, lanConfig } from './config.js';
import type { Effect } from './effects.js';
import type { Hooks } from './hooks.js';
import { type Node, createNode } from './node.js';
import { seededRng } from './random.js';
import { nextWake, step } from './step.js';
import type { Address } from './types.js';

const vsn = Uint8Array.of(1, 5, 2, 0, 0, 0);
const at = (last: number): Address => ({ addr: Uint8Array.of(127, 0, 0, last), port: 7946 });
const from = at(200);

interface Sent {
  readonly to: number;
  readonly messages: readonly Message[];
  readonly at: number;
  readonly crc: boolean;
}

/** A node called `me` at 127.0.0.1 with silent peers p2, p3 … at 127.0.0.2, 3 …; the test answers for them. */
class Bench {
  readonly node: Node;
  readonly sent: Sent[] = [];
  readonly effects: Effect[] = [];
  readonly #rng = seededRng(9);
  now = 0;

  constructor(peers: number, config: Partial<Config> = {}, hooks: Hooks = {}, peerVsn = vsn) {
    const quiet = { gossipIntervalMs: 0, pushPullIntervalMs: 0 };
    this.node = createNode({ ...lanConfig, name: 'me', ...quiet, ...config }, hooks);
    this.run({ kind: 'start', address: at(1), meta: new Uint8Array(0) });
    for (let i = 2; i < peers + 2; i++) {
      this.hear({ kind: 'alive', node: `p${i}`, incarnation: 1, ...at(i), meta: undefined, vsn: peerVsn });
    }
    this.node.queue.reset();
  }

  run(event: Parameters<typeof step>[1]): void {
    for (const effect of step(this.node, event, this.now, this.#rng)) {
      this.effects.push(effect);
      if (effect.kind !== 'packet') continue;
      const messages = effect.messages.map(decodeMessage).flatMap((decoded) => (decoded.ok ? [decoded.value] : []));
      this.sent.push({ to: effect.to.addr[3] ?? 0, messages, at: this.now, crc: effect.crc });
    }
  }

  hear(message: MapMessage, sender: Address = from): void {
    this.run({ kind: 'message', from: sender, message });
  }

  pass(ms: number): void {
    const until = this.now + ms;
    for (let next = nextWake(this.node); next !== undefined && next <= until; next = nextWake(this.node)) {
      this.now = Math.max(this.now, next);
      this.run({ kind: 'wake' });
    }
    this.now = until;
  }

  /** Goes on until a probe begins; gives its ping. */
  untilPing(): Sent & { readonly seqNo: number } {
    for (let waited = 0; waited < 10_000; waited++) {
      const began = this.sent.length;
      this.pass(1);
      const ping = this.sent.slice(began).find(({ messages }) => messages[0]?.kind === 'ping');
      if (ping !== undefined && ping.messages[0]?.kind === 'ping') return { ...ping, seqNo: ping.messages[0].seqNo };
    }
    throw new Error('no ping');
  }

  state(peer: number): string | undefined {
    return this.node.table.get(`p${peer}`)?.state;
  }

  get score(): number {
    return this.node.awareness.score;
  }

  /** Kinds of the messages sent since, with their receivers. */
  sentSince(index: number): string[] {
    return this.sent.slice(index).map(({ to, messages }) => `${messages.map(({ kind }) => kind).join('+')} → ${to}`);
  }
}

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

describe('an answer', () => {
  const source = { sourceAddr: at(9).addr, sourcePort: 7_000, sourceNode: 'p9' };
  const none = { sourceAddr: undefined, sourcePort: 0, sourceNode: '' };

  it('goes to the address a ping names, else to where it came from', () => {
    const bench = new Bench(0, {}, { ackPayload: () => ascii('mine') });
    bench.hear({ kind: 'ping', seqNo: 5, node: 'me', ...source });
    bench.hear({ kind: 'ping', seqNo: 6, node: '', ...none });
    expect(bench.sent.map(({ to, messages }) => [to, messages[0]])).toEqual([
      [9, { kind: 'ack', seqNo: 5, payload: ascii('mine') }],
      [200, { kind: 'ack', seqNo: 6, payload: ascii('mine') }],
    ]);
  });

  it('is not given to a ping for another node', () => {
    const bench = new Bench(0);
    bench.hear({ kind: 'ping', seqNo: 5, node: 'you', ...source });
    expect([bench.sent, bench.effects.at(-1)]).toMatchObject([[], { kind: 'note', code: 'wrongNode' }]);
  });

  it('carries what is queued, within one datagram', () => {
    for (const overhead of [0, 200]) {
      const bench = new Bench(1, { gossipIntervalMs: 100 }, { wireOverhead: () => overhead });
      for (let i = 0; i < 100; i++) {
        bench.hear({ kind: 'alive', node: `n${i}`, incarnation: 1, ...at(i), meta: undefined, vsn });
      }
      bench.hear({ kind: 'ping', seqNo: 5, node: 'me', ...source });
      bench.pass(100);
      const packets = bench.effects.filter((effect) => effect.kind === 'packet').slice(0, 2);
      for (const { messages } of packets) {
        const size = messages.reduce((sum, message) => sum + message.length + 2, 2);
        expect(size).toBeGreaterThan(1_300 - overhead);
        expect(size).toBeLessThanOrEqual(1_400 - overhead);
      }
      expect(packets).toHaveLength(2);
    }
  });

  it("is relayed under the asker's number, or denied by a nack when that was asked for", () => {
    const ask = (nack: boolean): Bench => {
      const bench = new Bench(0);
      bench.hear({ kind: 'indirectPing', seqNo: 77, target: at(8).addr, port: 7946, node: 'p8', nack, ...source });
      expect(bench.sent[0]).toMatchObject({
        to: 8,
        messages: [{ kind: 'ping', seqNo: 1, node: 'p8', sourceNode: 'me' }],
      });
      return bench;
    };
    const answered = ask(true);
    answered.hear({ kind: 'ack', seqNo: 1, payload: ascii('theirs') });
    answered.pass(2_000);
    expect(answered.sent.slice(1)).toMatchObject([
      { to: 9, messages: [{ kind: 'ack', seqNo: 77, payload: undefined }] },
    ]);
    const silent = ask(true);
    silent.pass(499);
    expect(silent.sent).toHaveLength(1);
    silent.pass(1);
    expect(silent.sent.slice(1)).toMatchObject([{ to: 9, messages: [{ kind: 'nack', seqNo: 77 }] }]);
    silent.hear({ kind: 'ack', seqNo: 1, payload: undefined });
    expect(silent.sent).toHaveLength(2);
    const old = ask(false);
    old.pass(2_000);
    expect(old.sent).toHaveLength(1);
  });

  it('to a ping of ours is timed, or missed after the probe timeout', () => {
    const bench = new Bench(0);
    bench.run({ kind: 'ping', to: at(8), node: 'p8', id: 4 });
    bench.now = 12;
    bench.hear({ kind: 'ack', seqNo: 1, payload: undefined });
    bench.run({ kind: 'ping', to: at(8), node: 'p8', id: 5 });
    bench.pass(600);
    expect(bench.effects.filter(({ kind }) => kind === 'pinged')).toEqual([
      { kind: 'pinged', id: 4, rttMs: 12 },
      { kind: 'pinged', id: 5, rttMs: undefined },
    ]);
  });
});

describe('gossip', () => {
  it('goes to the present and the lately dead, not to the left and the long dead', () => {
    const bench = new Bench(4, {
      gossipIntervalMs: 100,
      gossipNodes: 4,
      gossipToTheDeadMs: 2_000,
      probeIntervalMs: 3_600_000,
    });
    bench.hear({ kind: 'dead', node: 'p2', incarnation: 1, from: 'x' });
    bench.hear({ kind: 'dead', node: 'p3', incarnation: 1, from: 'p3' });
    const told = (): number[] => {
      const before = bench.sent.length;
      bench.node.queue.reset();
      for (let i = 0; i < 20; i++) bench.node.queue.add({ message: new Uint8Array(1_000).fill(11) });
      bench.pass(100);
      return [...new Set(bench.sent.slice(before).map(({ to }) => to))].sort();
    };
    expect(told()).toEqual([2, 4, 5]);
    bench.pass(2_000);
    expect(told()).toEqual([4, 5]);
  });

  it('is silent with nothing to tell', () => {
    const bench = new Bench(4, { gossipIntervalMs: 100, probeIntervalMs: 3_600_000 });
    bench.pass(10_000);
    expect(bench.sent).toEqual([]);
  });
});
