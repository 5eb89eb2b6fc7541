import { ascii, golden, ringOf, unhex, wireOf } from '../../golden.fixture.js';
import { limits } from '../limits.js';
import { concat } from './bytes.js';
import { compress } from './compress.js';
import { addLabel, labelOverhead, removeLabel } from './label.js';
import { encodeMessage } from './message.js';
import { decodePacket, encodePackets } from './packet.js';
import { encodeStream } from './stream-message.js';
import { StreamReader } from './stream-reader.js';
import type { Wire } from './wire.js';

const key = (fill: number, size = 16): Uint8Array => new Uint8Array(size).fill(fill);
const nack = encodeMessage({ kind: 'nack', seqNo: 7 });
const heard = (packet: Uint8Array, wire = wireOf()): string =>
  decodePacket(packet, wire)
    .messages.map(({ kind }) => kind)
    .join();
const fault = (packet: Uint8Array, wire: Wire = wireOf()): string | undefined =>
  decodePacket(packet, wire).faults[0]?.code;

describe('labels', () => {
  it('go on and come off', () => {
    expect([0, 1, 7].map((length) => labelOverhead(key(1, length)))).toEqual([0, 3, 9]);
    expect(addLabel(nack, new Uint8Array(0))).toBe(nack);
    expect(removeLabel(addLabel(nack, key(1, 255)))).toEqual({ ok: true, value: { label: key(1, 255), rest: nack } });
    expect(removeLabel(nack)).toEqual({ ok: true, value: { label: new Uint8Array(0), rest: nack } });
    expect(removeLabel(unhex('f400'))).toMatchObject({ ok: false });
    expect(['f4', 'f403', 'f4036162'].map((text) => removeLabel(unhex(text)))).toEqual(['short', 'short', 'short']);
  });

  it('are told from types and from the version byte of an encryption', () => {
    const wire = wireOf({ label: ascii('blue'), keyring: ringOf(key(1)) });
    for (let first = 0; first < 256; first++) {
      const other = removeLabel(Uint8Array.of(first, 1, 97, 98));
      const found = typeof other === 'object' && other.ok ? other.value.label.length : -1;
      expect([first, found]).toEqual([first, first === 244 ? 1 : 0]);
    }
    for (const version of [0, 1] as const) {
      const [packet = nack] = encodePackets([nack], true, { ...wire, encryptionVersion: version });
      expect([packet[0], heard(packet, wire)]).toEqual([244, 'nack']);
    }
  });

  it('have to be the configured one, or be removed before us', () => {
    const labelled = addLabel(nack, ascii('blue'));
    expect(heard(labelled, wireOf({ label: ascii('blue') }))).toBe('nack');
    for (const wire of [wireOf(), wireOf({ label: ascii('red') })]) expect(fault(labelled, wire)).toBe('label');
    expect(fault(nack, wireOf({ label: ascii('blue') }))).toBe('label');
    const behind = wireOf({ label: ascii('blue'), skipInboundLabelCheck: true });
    expect([heard(nack, behind), fault(labelled, behind)]).toEqual(['nack', 'label']);
  });
});

describe('a stream', () => {
  const message = { kind: 'user', payload: ascii('hello') } as const;
  const read = (bytes: Uint8Array, wire = wireOf()): ReturnType<StreamReader['feed']> =>
    new StreamReader(wire, 'dialler').feed(bytes);

  it('begins with the label of its dialler', () => {
    const wire = wireOf({ label: ascii('blue'), keyring: ringOf(key(1)), compression: true });
    const bytes = addLabel(encodeStream(message, wire), wire.label);
    const reader = new StreamReader(wire, 'dialler');
    const progress = [...bytes].map((byte) => reader.feed(Uint8Array.of(byte)).kind);
    expect([progress.slice(0, -1).every((kind) => kind === 'more'), progress.at(-1)]).toEqual([true, 'message']);
    expect(read(bytes, wireOf({ label: ascii('red') }))).toMatchObject({ fault: { code: 'label' } });
    expect(read(unhex('f400'), wire)).toMatchObject({ fault: { code: 'label' } });
  });

  it('has no label when something before us removes it, and is refused with one', () => {
    const wire = wireOf({ label: ascii('blue'), keyring: ringOf(key(1)), skipInboundLabelCheck: true });
    const bytes = encodeStream(message, wire);
    // The label is part of what is authenticated all the same.
    expect(read(bytes, wire)).toEqual({ kind: 'message', message });
    expect(read(addLabel(bytes, wire.label), wire)).toMatchObject({
      fault: { code: 'label', detail: 'unexpected double label' },
    });
    expect(read(encodeStream(message, { ...wire, label: ascii('red') }), wire)).toMatchObject({
      fault: { code: 'decrypt' },
    });
  });

  it('with nothing at all waits for more, label or not', () => {
    expect(read(new Uint8Array(0), wireOf({ label: ascii('blue') }))).toEqual({ kind: 'more' });
  });

  it('ignores what follows its message', () => {
    const bytes = concat([encodeStream(message, wireOf()), ascii('rest')]);
    expect(read(bytes)).toEqual({ kind: 'message', message });
  });

  it('has to be encrypted when that is configured, and not when it is not', () => {
    const sealed = encodeStream(message, wireOf({ keyring: ringOf(key(1)) }));
    expect(read(sealed)).toMatchObject({
      fault: { code: 'decrypt', detail: expect.stringContaining('not configured') },
    });
    expect(read(sealed, wireOf({ keyring: ringOf(key(2)) }))).toMatchObject({
      fault: { detail: expect.stringContaining('no installed keys') },
    });
    const plain = encodeStream(message, wireOf());
    expect(read(plain, wireOf({ keyring: ringOf(key(1)) }))).toMatchObject({ fault: { code: 'plaintext' } });
    expect(read(plain, wireOf({ keyring: ringOf(key(1)), verifyIncoming: false }))).toEqual({
      kind: 'message',
      message,
    });
    expect(read(unhex('0affffffff'), wireOf({ keyring: ringOf(key(1)) }))).toMatchObject({
      fault: { code: 'tooLarge' },
    });
  });

  it('that is compressed has to be whole inside', () => {
    const half = unhex(golden.stream.plain).slice(0, 40);
    expect(read(compress(half))).toMatchObject({ fault: { code: 'truncated' } });
    expect(read(Uint8Array.of(99))).toMatchObject({ fault: { code: 'unknownType' } });
  });

  it('with a record that never ends is given up', () => {
    const header = unhex('0683a44a6f696ec3a54e6f64657301ac5573657253746174654c656e00');
    const endless = concat([
      header,
      unhex('81a158dc'),
      unhex('ffff'),
      new Uint8Array(limits.nodeStateBytesMax).fill(0xc0),
    ]);
    expect(read(endless.slice(0, -10))).toEqual({ kind: 'more' });
    expect(
      read(concat([header, unhex('81a158dd'), unhex('ffffffff'), new Uint8Array(limits.nodeStateBytesMax).fill(0xc0)])),
    ).toMatchObject({ fault: { code: 'tooLarge' } });
  });
});
