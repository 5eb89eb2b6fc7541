import { ascii } from '../golden.fixture.js';
import { Bench, at, vsn } from './bench.fixture.js';

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
