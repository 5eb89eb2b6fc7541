import { limits } from '../core/limits.js';
import { type StreamMessage, encodeStream } from '../core/codec/stream-message.js';
import { wireOf } from '../golden.fixture.js';
import type { MemoryTransport } from '../memory/memory-network.js';
import { type SimulatedNode, Simulation } from '../memory/simulation.js';
import { VirtualClock } from '../memory/virtual-clock.js';
import type { Stream } from '../ports/transport.js';
import { Answerer } from './answerer.js';

const vsn = Uint8Array.of(1, 5, 2, 0, 0, 0);

/** A node that probes `fake`, an endpoint that answers no datagram; `answer` says what it does with a stream. */
function probed(answer: (stream: Stream, seqNo: number) => void): { node: SimulatedNode; simulation: Simulation } {
  const simulation = new Simulation(41);
  const node = simulation.add('node');
  const address = { addr: Uint8Array.of(10, 0, 0, 77), port: 7946 };
  const fake: MemoryTransport = simulation.network.bind(address, new VirtualClock(simulation.time));
  const seqNo = (): number => node.engine.node.probe?.seqNo ?? 0;
  fake.listen({
    packet: () => undefined,
    stream: (stream) => ({ data: () => answer(stream, seqNo()), closed: () => undefined }),
    problem: () => undefined,
  });
  const states = [{ name: 'fake', ...address, meta: undefined, incarnation: 1, state: 0, vsn }];
  const pushPull: StreamMessage = { kind: 'pushPull', join: true, states, userState: new Uint8Array(0) };
  fake.dial(node.address, { data: () => undefined, closed: () => undefined }).send(encodeStream(pushPull, wireOf()));
  simulation.time.advance(2_300);
  return { node, simulation };
}

const ack = (seqNo: number): Uint8Array => encodeStream({ kind: 'ack', seqNo, payload: undefined }, wireOf());

describe('a probe over a stream', () => {
  it('saves a member that answers it', () => {
    const { node } = probed((stream, seqNo) => stream.send(ack(seqNo)));
    expect(node.stateOf('fake')).toBe('alive');
    expect(node.noted('udpBroken').length).toBeGreaterThan(0);
  });

  it.each([
    ['another number', (stream: Stream, seqNo: number) => stream.send(ack(seqNo + 1))],
    ['another type', (stream: Stream) => stream.send(encodeStream({ kind: 'error', error: 'no' }, wireOf()))],
    ['noise', (stream: Stream) => stream.send(Uint8Array.of(99, 1, 2))],
    ['its end', (stream: Stream) => stream.close()],
    ['silence', () => undefined],
  ])('does not save one that answers with %s, and ends in time', (_, answer) => {
    const { node, simulation } = probed(answer);
    expect(node.stateOf('fake')).toBe('suspect');
    expect([node.noted('udpBroken'), node.noted('probeFailed').length]).toEqual([[], expect.any(Number)]);
    // The suspicion's four seconds begin when the probe's second is over: a stream that hangs does not hold it up.
    simulation.time.advance(4_100);
    expect(node.stateOf('fake')).toBe('dead');
  });

  it('that is refused is no error, only no answer', () => {
    const simulation = new Simulation(42);
    const [a, b] = simulation.cluster(['a', 'b']);
    b?.kill();
    simulation.time.advance(3_000);
    expect(a?.stateOf('b')).toBe('suspect');
    expect(a?.notes.map(({ code }) => code)).toEqual(['probeFailed']);
  });
});

describe('streams that others open', () => {
  /** Streams that do not end, and what the answerer makes of them. */
  function open(count: number, chunk: Uint8Array): { closed: number; dropped: number; notes: string[] } {
    const simulation = new Simulation(43);
    const { transport } = simulation.add('node');
    const notes: string[] = [];
    let [closed, dropped] = [0, 0];
    const carrier = { transport, clock: new VirtualClock(simulation.time), wire: wireOf() };
    const answerer = new Answerer(carrier, {
      ...{ name: 'node', tcpTimeoutMs: 10_000, merge: () => undefined, userMessage: () => undefined },
      localPushPull: (join) => ({ kind: 'pushPull', join, states: [], userState: new Uint8Array(0) }),
      note: ({ detail }) => void notes.push(detail),
    });
    for (let i = 0; i < count; i++) {
      const close = (): void => void closed++;
      const abort = (): void => void dropped++;
      const stream: Stream = { remote: transport.address, send: () => undefined, close, abort };
      answerer.accept(stream).data(chunk);
    }
    return { closed, dropped, notes };
  }

  it('are bounded in number: one too many is dropped, not ended in order', () => {
    const { closed, dropped, notes } = open(limits.inboundStreamsMax + 3, new Uint8Array(0));
    expect([closed, dropped, notes.length]).toEqual([0, 3, 3]);
  });

  it('are bounded in what is kept of all of them', () => {
    // A user message of 20 MiB that never becomes whole.
    const head = Uint8Array.from([8, 0x81, 0xaa, ...Buffer.from('UserMsgLen'), 0xce, 0x01, 0x40, 0, 0]);
    const chunk = new Uint8Array(16 << 20);
    chunk.set(head);
    const { closed, notes } = open(10, chunk);
    expect([closed, new Set(notes)]).toEqual([
      2,
      new Set([`more than ${limits.inboundBytesMax} bytes of unfinished streams`]),
    ]);
  });
});
