import { encodeCompound } from '../core/codec/compound.js';
import { compress } from '../core/codec/compress.js';
import { decodePacket } from '../core/codec/packet.js';
import { StreamReader } from '../core/codec/stream-reader.js';
import { limits } from '../core/limits.js';
import { unhex, wireOf } from '../golden.fixture.js';

const nack = unhex('0b81a55365714e6f07');
const bomb = compress(new Uint8Array(limits.packetInflatedBytesMax + 1));
const times = (count: number, part: Uint8Array): Uint8Array[] => Array.from({ length: count }, () => part);

describe('a hostile packet costs bounded work', () => {
  it.each([
    ['one bomb', bomb],
    ['truncated bombs', encodeCompound(times(40, bomb.slice(0, 1_600)))],
    ['many bombs', encodeCompound(times(16, bomb))],
    [
      'many that are just within',
      encodeCompound(times(16, compress(new Uint8Array(limits.packetInflatedBytesMax / 2)))),
    ],
    ['bombs in bombs', compress(encodeCompound(times(4, compress(new Uint8Array(300_000)))))],
  ])('inflates no more than its budget: %s', (_, packet) => {
    const { messages, faults, work } = decodePacket(packet, wireOf());
    expect(messages).toEqual([]);
    expect(faults.length).toBeGreaterThan(0);
    expect(work.inflatedBytes).toBeLessThanOrEqual(limits.packetInflatedBytesMax);
    expect(work.steps).toBeLessThanOrEqual(2 * (packet.length + work.inflatedBytes));
  });

  it('inflates nothing more after the first bomb', () => {
    const good = decodePacket(encodeCompound([compress(nack), bomb, nack]), wireOf());
    expect(good.messages).toHaveLength(2);
    const after = decodePacket(encodeCompound([bomb, compress(nack)]), wireOf());
    expect([after.messages, after.faults.length]).toEqual([[], 2]);
    expect(after.work.inflatedBytes).toBeLessThanOrEqual(limits.packetInflatedBytesMax);
  });

  it('takes no more messages than its limit from compounds of compounds, and notes few of the rest', () => {
    const inner = encodeCompound(times(127, nack));
    const packet = encodeCompound(times(40, inner));
    const { messages, faults, work } = decodePacket(packet, wireOf());
    expect(messages.length).toBeLessThanOrEqual(limits.packetMessagesMax);
    expect(faults.some(({ code }) => code === 'tooLarge')).toBe(true);
    expect(faults.length).toBeLessThanOrEqual(limits.compoundPartsMax);
    expect(work.steps).toBeLessThanOrEqual(2 * limits.packetMessagesMax * nack.length);
  });

  it('notes few faults of a packet that is full of them', () => {
    const { faults } = decodePacket(encodeCompound(times(80, encodeCompound(times(255, Uint8Array.of(99))))), wireOf());
    expect(faults.length).toBe(limits.compoundPartsMax);
  });

  it.each([
    ['compressed in each other', (packet: Uint8Array) => compress(packet)],
    ['compounds in each other', (packet: Uint8Array) => encodeCompound([packet])],
  ])('refuses nesting beyond its depth: %s', (_, wrap) => {
    let packet: Uint8Array = nack;
    for (let depth = 0; depth < limits.nestingMax; depth++) packet = wrap(packet);
    expect(decodePacket(packet, wireOf()).messages).toHaveLength(1);
    expect(decodePacket(wrap(packet), wireOf())).toMatchObject({
      messages: [],
      faults: [{ detail: 'nested too deep' }],
    });
  });

  it.each([
    ['a map of 4 billion', '00dfffffffff'],
    ['a payload of 4 GB', '0281a75061796c6f6164dbffffffff'],
    ['a payload of 4 billion numbers', '0281a75061796c6f6164ddffffffff'],
    ['a compressed message of 4 GB', '0981a3427566dbffffffff'],
  ])('does not believe huge lengths: %s', (_, text) => {
    const { messages, work } = decodePacket(unhex(text), wireOf());
    expect(messages).toEqual([]);
    expect(work.steps).toBeLessThanOrEqual(text.length);
  });

  it('refuses a datagram that none can be', () => {
    const { faults, work } = decodePacket(new Uint8Array(limits.packetBytesMax + 1).fill(7), wireOf());
    expect([faults[0]?.code, work.steps]).toEqual(['tooLarge', 0]);
  });
});

describe('a hostile stream costs bounded work', () => {
  const header = (nodes: string, state: string): Uint8Array =>
    unhex(`0683a44a6f696ec3a54e6f646573ce${nodes}ac5573657253746174654c656ece${state}`);

  it.each([
    ['10 million nodes', header('00989680', '00000000')],
    ['30 MB of state', header('00000000', '01c9c380')],
    ['a user message of 30 MB', unhex('0881aa557365724d73674c656ece01c9c380')],
  ])('refuses a header of %s at once', (_, bytes) => {
    const reader = new StreamReader(wireOf(), 'listener');
    expect(reader.feed(bytes)).toMatchObject({ kind: 'fault', fault: { code: 'tooLarge' } });
    expect([reader.bufferedBytes, reader.work.steps < 100]).toEqual([0, true]);
  });

  it.each([
    ['a record', unhex('0683a44a6f696ec3a54e6f64657301ac5573657253746174654c656e00')],
    ['a compressed message', unhex('09')],
  ])('does not read a large map of little again and again: %s', (_, head) => {
    const reader = new StreamReader(wireOf(), 'listener');
    reader.feed(Uint8Array.from([...head, 0xdf, 0xff, 0xff, 0xff, 0xff]));
    const crumb = Uint8Array.from({ length: 8 }, (__, i) => (i % 2 === 0 ? 0xa0 : 0xc0));
    let progress = reader.feed(new Uint8Array(0));
    let fed = 0;
    for (; progress.kind === 'more' && fed < 1 << 20; fed += crumb.length) progress = reader.feed(crumb);
    expect(progress).toMatchObject({ kind: 'fault', fault: { code: 'tooLarge' } });
    // The last attempt may go beyond the budget, by its own length at most.
    expect(reader.work.steps).toBeLessThan(limits.streamStepsFree + (limits.streamStepsPerByte + 2) * (fed + 64));
  });

  it('inflates no more than a stream may hold', () => {
    const reader = new StreamReader(wireOf(), 'listener');
    expect(reader.feed(compress(new Uint8Array(limits.streamBytesMax + 1)))).toMatchObject({ kind: 'fault' });
    expect(reader.work.inflatedBytes).toBeLessThanOrEqual(limits.streamBytesMax);
  });
});
