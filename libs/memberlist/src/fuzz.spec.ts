import { ascii, golden, ringOf, unhex, wireOf } from './golden.fixture.js';
import { lanConfig } from './core/config.js';
import { limits } from './core/limits.js';
import { createNode } from './core/node.js';
import { seededRng } from './core/random.js';
import { nextWake, step } from './core/step.js';
import type { Rng } from './core/types.js';
import { encodeCompound } from './core/codec/compound.js';
import { compress } from './core/codec/compress.js';
import { addCrc } from './core/codec/crc.js';
import { decodePacket, encodePackets } from './core/codec/packet.js';
import { encodeStream } from './core/codec/stream-message.js';
import { StreamReader } from './core/codec/stream-reader.js';

const packets = 200_000;
const streams = 5_000;
const seed = Number(process.env['FUZZ_SEED'] ?? 42);
const keyring = ringOf(unhex(golden.stream.key));

/** Valid packets of every kind and wrapper to begin with. */
function corpus(): Uint8Array[] {
  const plain = golden.messages.map((message) => unhex(message.hex));
  const wrapped = plain.flatMap((bytes) => [compress(bytes), addCrc(bytes), addCrc(compress(bytes))]);
  return [
    ...plain,
    ...wrapped,
    encodeCompound(plain.slice(0, 12)),
    addCrc(encodeCompound([encodeCompound(plain.slice(3, 9)), compress(encodeCompound(plain.slice(8, 14)))])),
    ...encodePackets(plain.slice(0, 5), true, wireOf({ keyring })),
    ...encodePackets(plain.slice(0, 5), true, wireOf({ label: ascii('blue') })),
  ];
}

/** Flips, cuts, grows, doubles and splices: at structure as well as at random. */
function mutate(bytes: Uint8Array, other: Uint8Array, rng: Rng): Uint8Array {
  const at = Math.floor(rng() * bytes.length);
  const copy = bytes.slice();
  const interesting = [0, 1, 7, 9, 10, 12, 127, 128, 192, 196, 202, 212, 219, 221, 223, 244, 255];
  switch (Math.floor(rng() * 6)) {
    case 0:
      copy[at] = Math.floor(rng() * 256);
      return copy;
    case 1:
      copy[at] = interesting[Math.floor(rng() * interesting.length)] ?? 0;
      return copy;
    case 2:
      return copy.subarray(0, at);
    case 3:
      return encodeCompound([copy, other.subarray(0, 1000), copy.subarray(at)]);
    case 4:
      return Uint8Array.from([...copy.subarray(0, at), ...other.subarray(0, 200), ...copy.subarray(at)]);
    default:
      return compress(copy.subarray(0, 500));
  }
}

describe('hostile input', () => {
  it(`survives ${packets} mutated packets without a throw, a hang or growth`, () => {
    const rng = seededRng(seed);
    const seeds = corpus();
    const wires = [
      wireOf(),
      wireOf({ label: ascii('blue') }),
      wireOf({ keyring }),
      wireOf({ keyring, verifyIncoming: false }),
    ];
    const node = createNode({ ...lanConfig, name: 'b' });
    const from = { addr: Uint8Array.of(10, 0, 0, 9), port: 7946 };
    let now = 0;
    step(node, { kind: 'start', address: { ...from, port: 1 }, meta: new Uint8Array(0) }, now, rng);
    let heard = 0;
    let most = 0;
    for (let i = 0; i < packets; i++) {
      const pick = (): Uint8Array => seeds[Math.floor(rng() * seeds.length)] ?? new Uint8Array(0);
      const rounds = 1 + Math.floor(rng() * 3);
      let packet = pick();
      for (let round = 0; round < rounds; round++) packet = mutate(packet, pick(), rng);
      const wire = wires[i & 3] ?? wireOf();
      const { messages } = decodePacket(packet, wire);
      heard += messages.length;
      most = Math.max(most, messages.length);
      for (const message of messages) step(node, { kind: 'message', from, message }, now, rng);
      // One packet a millisecond, so that what packets leave behind is cleared at the pace of the protocol.
      now += 1;
      if ((nextWake(node) ?? Infinity) <= now) step(node, { kind: 'wake' }, now, rng);
    }
    expect(heard).toBeGreaterThan(packets / 10);
    expect(most).toBeLessThanOrEqual(limits.packetMessagesMax);
    expect(node.relays.size).toBeLessThanOrEqual(limits.relaysMax);
    // Names are made up by mutation, and the dead ones are forgotten again.
    expect(node.table.size).toBeLessThan(5_000);
    expect(node.queue.length).toBeLessThan(5_000);
    expect(node.timers.size).toBeLessThan(20_000);
    expect(node.suspicions.size).toBeLessThanOrEqual(node.table.size);
  }, 60_000);

  it(`survives ${streams} mutated streams in random chunks`, () => {
    const rng = seededRng(seed + 1);
    const wires = [wireOf(), wireOf({ compression: true }), wireOf({ keyring }), wireOf({ label: ascii('blue') })];
    const pushPull = new StreamReader(wireOf(), 'listener').feed(unhex(golden.stream.plain));
    if (pushPull.kind !== 'message') throw new Error('the golden stream is a message');
    const outcomes = { more: 0, message: 0, fault: 0 };
    for (let i = 0; i < streams; i++) {
      const wire = wires[i & 3] ?? wireOf();
      const bytes = mutate(encodeStream(pushPull.message, wire), unhex(golden.stream.compressed), rng);
      const reader = new StreamReader(wire, i & 4 ? 'dialler' : 'listener');
      let progress = reader.feed(new Uint8Array(0));
      for (let at = 0; at < bytes.length && progress.kind === 'more';) {
        const size = 1 + Math.floor(rng() * 40);
        progress = reader.feed(bytes.subarray(at, at + size));
        at += size;
      }
      outcomes[progress.kind]++;
    }
    expect(outcomes.fault).toBeGreaterThan(streams / 10);
    expect(outcomes.message).toBeGreaterThan(0);
  });
});

describe('a hostile packet costs bounded work', () => {
  it('inflates no more than its budget, whatever bombs a compound holds', () => {
    const bomb = compress(new Uint8Array(limits.packetInflatedBytesMax + 1));
    const packet = encodeCompound(Array.from({ length: 40 }, () => bomb.slice(0, 1_600)));
    const whole = encodeCompound(Array.from({ length: 16 }, () => bomb));
    for (const bytes of [packet, whole]) {
      const began = process.hrtime.bigint();
      const { messages, faults } = decodePacket(bytes, wireOf());
      expect(messages).toEqual([]);
      expect(faults.length).toBeGreaterThan(0);
      expect(Number(process.hrtime.bigint() - began) / 1e6).toBeLessThan(1_000);
    }
  });

  it('inflates nothing more after the first bomb', () => {
    const nack = unhex('0b81a55365714e6f07');
    const bomb = compress(new Uint8Array(limits.packetInflatedBytesMax + 1));
    const good = decodePacket(encodeCompound([compress(nack), bomb, nack]), wireOf());
    expect(good.messages).toHaveLength(2);
    const after = decodePacket(encodeCompound([bomb, compress(nack)]), wireOf());
    expect([after.messages, after.faults.length]).toEqual([[], 2]);
  });

  it('takes no more messages than its limit from compounds of compounds', () => {
    const nack = unhex('0b81a55365714e6f07');
    const inner = encodeCompound(Array.from({ length: 127 }, () => nack));
    const { messages, faults } = decodePacket(encodeCompound(Array.from({ length: 40 }, () => inner)), wireOf());
    expect(messages.length).toBeLessThanOrEqual(limits.packetMessagesMax);
    expect(faults.some(({ code }) => code === 'tooLarge')).toBe(true);
  });

  it('refuses nesting beyond its depth', () => {
    let packet = unhex('0b81a55365714e6f07');
    for (let depth = 0; depth <= limits.nestingMax; depth++) packet = compress(packet);
    expect(decodePacket(packet, wireOf())).toMatchObject({ messages: [], faults: [{ detail: 'nested too deep' }] });
  });

  it('does not believe huge lengths', () => {
    for (const hostile of [
      '00dfffffffff',
      '0281a75061796c6f6164dbffffffff',
      '0281a75061796c6f6164ddffffffff',
      '0981a3427566dbffffffff',
    ]) {
      expect(decodePacket(unhex(hostile), wireOf()).messages).toEqual([]);
    }
  });

  it('refuses headers beyond the limits', () => {
    const nodes = unhex('0683a44a6f696ec3a54e6f646573ce00989680ac5573657253746174654c656e00');
    const state = unhex('0683a44a6f696ec3a54e6f64657300ac5573657253746174654c656ece01c9c380');
    const user = unhex('0881aa557365724d73674c656ece01c9c380');
    for (const header of [nodes, state, user]) {
      const progress = new StreamReader(wireOf(), 'listener').feed(header);
      expect(progress).toMatchObject({ kind: 'fault', fault: { code: 'tooLarge' } });
    }
  });
});
