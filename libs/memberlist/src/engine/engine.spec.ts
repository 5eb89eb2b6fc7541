import { encodeCompound } from '../core/codec/compound.js';
import { addCrc } from '../core/codec/crc.js';
import { addLabel } from '../core/codec/label.js';
import { encodeMessage } from '../core/codec/message.js';
import { decodePacket } from '../core/codec/packet.js';
import { type StreamMessage, encodeStream } from '../core/codec/stream-message.js';
import { StreamReader } from '../core/codec/stream-reader.js';
import { seededRng } from '../core/random.js';
import { wireOf } from '../golden.fixture.js';
import { type SimulatedNode, Simulation } from '../memory/simulation.js';
import type { MemoryTransport } from '../memory/memory-network.js';
import { VirtualClock } from '../memory/virtual-clock.js';

/** One node and a raw endpoint that speaks to it by hand. */
class Bench {
  readonly simulation = new Simulation(31);
  readonly node: SimulatedNode = this.simulation.add('node');
  readonly raw: MemoryTransport;
  readonly received: string[] = [];

  constructor() {
    this.raw = this.simulation.network.bind(
      { addr: Uint8Array.of(10, 0, 0, 99), port: 1 },
      new VirtualClock(this.simulation.time),
    );
    this.raw.listen({
      packet: (bytes) =>
        void this.received.push(
          decodePacket(bytes, wireOf())
            .messages.map(({ kind }) => kind)
            .join('+'),
        ),
      stream: () => ({ data: () => undefined, closed: () => undefined }),
      problem: () => undefined,
    });
  }

  /** What comes back for a datagram. */
  send(bytes: Uint8Array): string[] {
    this.received.length = 0;
    this.raw.sendPacket(this.node.address, bytes);
    this.simulation.time.advance(50);
    return this.received;
  }

  /** What comes back on a stream. */
  exchange(bytes: Uint8Array): { readonly answer: StreamMessage | undefined; readonly closed: boolean } {
    let answer: StreamMessage | undefined;
    let closed = false;
    const reader = new StreamReader(wireOf(), 'listener');
    const stream = this.raw.dial(this.node.address, {
      data: (chunk) => {
        const progress = reader.feed(chunk);
        if (progress.kind === 'message') answer = progress.message;
      },
      closed: () => (closed = true),
    });
    stream.send(bytes);
    this.simulation.time.advance(50);
    return { answer, closed };
  }
}

const ping = (seqNo: number, node = 'node'): Uint8Array =>
  encodeMessage({ kind: 'ping', seqNo, node, sourceAddr: undefined, sourcePort: 0, sourceNode: '' });

describe('a node on a network', () => {
  it('acks pings, one by one and in a compound, and piggybacks what it has to tell', () => {
    const bench = new Bench();
    // Its own alive is still queued, so the first acks are compounds of two.
    expect(bench.send(ping(1))).toEqual(['ack+alive']);
    bench.node.engine.node.queue.reset();
    expect(bench.send(encodeCompound([ping(2), ping(3), ping(4)]))).toEqual(['ack', 'ack', 'ack']);
    expect(bench.send(ping(5, 'other'))).toEqual([]);
    expect(bench.node.noted('wrongNode')).toHaveLength(1);
  });

  it('checks checksums and notes what it drops', () => {
    const bench = new Bench();
    bench.node.engine.node.queue.reset();
    expect(bench.send(addCrc(ping(1)))).toEqual(['ack']);
    expect(bench.send(addCrc(ping(1)).fill(0, 1, 5))).toEqual([]);
    expect(bench.send(new Uint8Array(0))).toEqual([]);
    expect(bench.node.notes.map(({ code }) => code)).toEqual(['wire.checksum', 'wire.empty']);
  });

  it('answers a ping over a stream, unless it is for another', () => {
    const bench = new Bench();
    const over = (node: string): StreamMessage => ({
      kind: 'ping',
      seqNo: 23,
      node,
      sourceAddr: undefined,
      sourcePort: 0,
      sourceNode: '',
    });
    expect(bench.exchange(encodeStream(over('node'), wireOf())).answer).toEqual({
      kind: 'ack',
      seqNo: 23,
      payload: undefined,
    });
    expect(bench.exchange(encodeStream(over('other'), wireOf()))).toEqual({ answer: undefined, closed: true });
  });

  it('answers a push/pull with its table before it takes the other in', () => {
    const bench = new Bench();
    const state = {
      name: 'new',
      addr: Uint8Array.of(10, 0, 0, 99),
      port: 1,
      meta: undefined,
      incarnation: 1,
      state: 0,
      vsn: Uint8Array.of(1, 5, 2, 0, 0, 0),
    };
    const pushPull: StreamMessage = { kind: 'pushPull', join: true, states: [state], userState: new Uint8Array(0) };
    const { answer } = bench.exchange(encodeStream(pushPull, wireOf({ compression: true })));
    expect(answer).toMatchObject({ kind: 'pushPull', join: true, states: [{ name: 'node', state: 0 }] });
    expect(bench.node.present).toEqual(['new', 'node']);
  });

  it('tells a stream what is wrong with it, and closes it', () => {
    const bench = new Bench();
    const huge = Uint8Array.from(
      Buffer.from('0683a44a6f696ec3a54e6f646573ce00989680ac5573657253746174654c656e00', 'hex'),
    );
    const { answer, closed } = bench.exchange(huge);
    expect([answer, closed]).toEqual([{ kind: 'error', error: 'push/pull of 10000000 nodes' }, true]);
    expect(bench.node.noted('wire.tooLarge')).toHaveLength(1);
  });

  it('tells nothing to a stream of another label', () => {
    const bench = new Bench();
    const labelled = addLabel(encodeStream({ kind: 'user', payload: Uint8Array.of(1) }, wireOf()), Uint8Array.of(1));
    expect(bench.exchange(labelled)).toEqual({ answer: undefined, closed: true });
    expect(bench.node.noted('wire.label')).toHaveLength(1);
    expect(bench.node.messages).toEqual([]);
  });

  it('goes on although its clock wakes it a little early', () => {
    const simulation = new Simulation(32);
    const early = VirtualClock.prototype.at;
    const spy = jest.spyOn(VirtualClock.prototype, 'at').mockImplementation(function (this: VirtualClock, time, fire) {
      // Each time is missed once: the second try comes when it has come.
      return early.call(this, time - this.now() > 1 ? time - 0.5 : time, fire);
    });
    try {
      const [a, b] = simulation.cluster(['a', 'b']);
      simulation.time.advance(10_000);
      expect([a, b].every((node) => (node?.probed.length ?? 0) >= 4)).toBe(true);
    } finally {
      spy.mockRestore();
    }
  });

  it('closes a stream that says nothing after its timeout', () => {
    const bench = new Bench();
    let closed = false;
    bench.raw.dial(bench.node.address, { data: () => undefined, closed: () => (closed = true) });
    bench.simulation.time.advance(9_900);
    expect(closed).toBe(false);
    bench.simulation.time.advance(200);
    expect(closed).toBe(true);
  });

  it('goes on after noise', () => {
    const bench = new Bench();
    const rng = seededRng(1);
    for (let i = 0; i < 200; i++) bench.send(Uint8Array.from({ length: 1 + i }, () => Math.floor(rng() * 256)));
    bench.node.engine.node.queue.reset();
    expect(bench.send(ping(9))).toEqual(['ack']);
  });

  it('is silent once closed, and ends what waits for it', () => {
    const bench = new Bench();
    const ends: unknown[] = [];
    bench.node.engine.pushPull(bench.raw.address, true, (problem) => ends.push(problem));
    bench.node.engine.ping(bench.raw.address, 'x', (rttMs) => ends.push(rttMs));
    bench.simulation.time.advance(0);
    bench.node.kill();
    // What was under way already arrives still.
    bench.simulation.time.advance(50);
    expect(ends).toEqual(['the node was closed', undefined]);
    expect(bench.send(ping(1))).toEqual([]);
    const { engine } = bench.node;
    const keep = (end: unknown): void => void ends.push(end);
    engine.leave(keep);
    engine.update(new Uint8Array(0), keep);
    engine.ping(bench.raw.address, 'x', keep);
    engine.pushPull(bench.raw.address, true, keep);
    engine.sendStream(bench.raw.address, new Uint8Array(1), keep);
    const closed = 'the node was closed';
    expect(ends.slice(2)).toEqual([closed, closed, undefined, closed, closed]);
  });
});
