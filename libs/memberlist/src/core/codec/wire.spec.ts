import { ascii, hex, ringOf, unhex, wireOf } from '../../golden.fixture.js';
import { decodeCompound, encodeCompound, packMessages } from './compound.js';
import { compress, decompress } from './compress.js';
import { addCrc } from './crc.js';
import { encryptionOverhead, pad, unpad } from './encryption.js';
import { Keyring } from './keyring.js';
import { labelOverhead } from './label.js';
import { encodeMessage, encodeUser } from './message.js';
import { decodePacket, encodePackets } from './packet.js';
import { wireOverhead } from './wire.js';

const key = (fill: number, size = 16): Uint8Array => new Uint8Array(size).fill(fill);
const nack = encodeMessage({ kind: 'nack', seqNo: 7 });
const heard = (packet: Uint8Array, wire = wireOf()): string =>
  decodePacket(packet, wire)
    .messages.map(({ kind }) => kind)
    .join();
const fault = (packet: Uint8Array, wire = wireOf()): string | undefined => decodePacket(packet, wire).faults[0]?.code;

describe('a packet', () => {
  const forms = [false, true].flatMap((crc) =>
    [false, true].flatMap((compression) =>
      ['', 'blue'].flatMap((label) =>
        [undefined, 0, 1].map((version) => ({ crc, compression, label, version: version as 0 | 1 | undefined })),
      ),
    ),
  );

  it.each(forms.map((form) => [JSON.stringify(form), form] as const))('comes back as it went: %s', (_, form) => {
    const wire = wireOf({
      compression: form.compression,
      label: ascii(form.label),
      encryptionVersion: form.version ?? 1,
      keyring: form.version === undefined ? new Keyring() : ringOf(key(1)),
    });
    const messages = [nack, encodeUser(ascii('x'.repeat(300))), nack];
    const [packet = new Uint8Array(0), ...others] = encodePackets(messages, form.crc, wire);
    const { messages: back, faults } = decodePacket(packet, wire);
    expect([others, faults, back.map(({ kind }) => kind)]).toEqual([[], [], ['nack', 'user', 'nack']]);
    expect(back[1]).toEqual({ kind: 'user', payload: ascii('x'.repeat(300)) });
    if (form.compression) {
      expect(packet.length).toBeLessThan(200);
    } else {
      const plain = encodeCompound(messages).length + (form.crc ? 5 : 0);
      expect(packet.length).toBeGreaterThanOrEqual(plain + labelOverhead(wire.label));
      expect(packet.length).toBeLessThanOrEqual(plain + wireOverhead(wire));
    }
  });

  it('is not compressed when that would be longer', () => {
    expect(encodePackets([nack], false, wireOf({ compression: true }))).toEqual([nack]);
  });

  it('says why nothing came of it', () => {
    expect(fault(new Uint8Array(0))).toBe('empty');
    expect(fault(Uint8Array.of(99))).toBe('unknownType');
    expect(fault(unhex('0b81a55365714e6fcb'))).toBe('malformed');
    expect(fault(addCrc(nack).fill(0, 1, 5))).toBe('checksum');
    expect(fault(nack, wireOf({ keyring: ringOf(key(1)) }))).toBe('decrypt');
    expect(fault(encodeCompound([]).slice(0, 1))).toBe('malformed');
    expect(fault(encodeCompound([nack, nack]).slice(0, -1))).toBe('truncated');
    expect(heard(encodeCompound([nack, nack]).slice(0, -1))).toBe('nack');
  });

  it('is taken in plain while an upgrade lasts', () => {
    const wire = wireOf({ keyring: ringOf(key(1)), verifyIncoming: false, verifyOutgoing: false });
    expect(heard(nack, wire)).toBe('nack');
    expect(encodePackets([nack], false, wire)).toEqual([nack]);
  });

  it('opens with any installed key, and not with a removed one', () => {
    const sender = ringOf(key(2));
    const receiver = ringOf(key(1), key(2), key(3));
    const [packet = new Uint8Array(0)] = encodePackets([nack], false, wireOf({ keyring: sender }));
    expect(heard(packet, wireOf({ keyring: receiver }))).toBe('nack');
    receiver.remove(key(2));
    expect(fault(packet, wireOf({ keyring: receiver }))).toBe('decrypt');
  });

  it('is split so that old peers can read every compound', () => {
    const packets = packMessages(Array.from({ length: 256 }, () => nack));
    expect(packets.map((packet) => packet[1])).toEqual([127, 127, 2]);
    expect(packMessages([nack])).toEqual([nack]);
  });
});

describe('a compound', () => {
  it('reports what is missing and keeps the parts before', () => {
    const whole = encodeCompound([nack, nack, nack]);
    const cut = decodeCompound(whole.slice(0, 2 + 3 * 2 + 2 * nack.length + 3));
    expect(cut.ok && [cut.value.parts.length, cut.value.truncated]).toEqual([2, 1]);
    expect(decodeCompound(Uint8Array.of(7, 200, 0, 1)).ok).toBe(false);
    expect(decodeCompound(Uint8Array.of(7)).ok).toBe(false);
  });

  it('of 255 parts is read rightly', () => {
    const decoded = decodeCompound(encodeCompound(Array.from({ length: 255 }, () => nack)));
    expect(
      decoded.ok && decoded.value.parts.every((part) => hex(part) === hex(nack)) && decoded.value.parts.length,
    ).toBe(255);
  });
});

describe('compression', () => {
  it('refuses more than it is allowed to give, and what is truncated', () => {
    const zeros = compress(new Uint8Array(1_000));
    expect(decompress(zeros, 1_000).ok).toBe(true);
    expect(decompress(zeros, 999)).toMatchObject({ ok: false, problem: expect.stringContaining('999') });
    expect(decompress(zeros.slice(0, -3), 1_000).ok).toBe(false);
    expect(decompress(unhex('0982a4416c676f01a3427566a3000302'), 10)).toMatchObject({
      problem: expect.stringContaining('algorithm 1'),
    });
  });

  it('gives back any bytes of any length', () => {
    let x = 1;
    for (let length = 0; length < 20_000; length = length * 2 + 3) {
      const bytes = Uint8Array.from(
        { length },
        () => (x = (Math.imul(x, 48_271) + 11) >>> 0) % (length % 5 === 0 ? 3 : 256),
      );
      const back = decompress(compress(bytes), length);
      expect(back.ok && hex(back.value)).toBe(hex(bytes));
    }
  });
});

describe('padding', () => {
  it('fills every length to whole blocks and comes off again', () => {
    for (let length = 0; length <= 255; length++) {
      const padded = pad(key(9, length));
      expect(padded.length).toBe(length + 16 - (length % 16));
      expect(unpad(padded)).toEqual({ ok: true, value: key(9, length) });
    }
    for (const wrong of [[], [0], [17], [...key(0, 15), 17], [...key(0, 31), 17]])
      expect(unpad(Uint8Array.from(wrong)).ok).toBe(false);
    expect([encryptionOverhead(0), encryptionOverhead(1)]).toEqual([45, 29]);
  });
});

describe('a keyring', () => {
  it('is empty, or has its primary key first and no key twice', () => {
    expect(ringOf().keys).toEqual([]);
    const ring = Keyring.create([key(1), key(2), key(1)], key(2));
    expect(ring instanceof Keyring && ring.keys).toEqual([key(2), key(1)]);
    expect(Keyring.create([key(1)], undefined)).toBe('primaryRequired');
    for (const size of [3, 15, 38]) expect(Keyring.create([], key(1, size))).toBe('badKeySize');
    for (const size of [16, 24, 32]) expect(Keyring.create([], key(1, size))).toBeInstanceOf(Keyring);
  });

  it('adds at the end, uses what is installed and never removes its primary key', () => {
    const ring = ringOf(key(1));
    expect([ring.add(key(2)), ring.add(key(3)), ring.add(key(2)), ring.add(key(1, 5))]).toEqual([
      undefined,
      undefined,
      undefined,
      'badKeySize',
    ]);
    expect([ring.use(key(9)), ring.use(key(3))]).toEqual(['notInstalled', undefined]);
    expect(ring.keys).toEqual([key(3), key(1), key(2)]);
    expect([ring.remove(key(3)), ring.remove(key(9)), ring.remove(key(1))]).toEqual([
      'isPrimary',
      undefined,
      undefined,
    ]);
    expect(ring.keys).toEqual([key(3), key(2)]);
  });
});
