import { cipherWithNonce, golden, hex, ringOf, unhex, wireOf } from './golden.fixture.js';
import { decodeCompound, encodeCompound } from './core/codec/compound.js';
import { compress, decompress } from './core/codec/compress.js';
import { addCrc, crc32, hasCrc, removeCrc } from './core/codec/crc.js';
import { decrypt, encrypt } from './core/codec/encryption.js';
import { type SchemaName, schemas } from './core/codec/schema.js';
import { encodeStream, encodeStreamMessage, sealFrame } from './core/codec/stream-message.js';
import { StreamReader } from './core/codec/stream-reader.js';
import { decodeStruct, encodeFields } from './core/codec/struct.js';

/** The schema of a vector: its name begins with it, as the original's structs are called. */
const schemaOf = (name: string): SchemaName => {
  const prefixes: readonly (readonly [string, SchemaName])[] = [
    ['ping', 'ping'],
    ['indirect-ping', 'indirectPing'],
    ['ack', 'ack'],
    ['suspect', 'suspect'],
    ['alive', 'alive'],
    ['dead', 'dead'],
    ['pushpull-header', 'pushPullHeader'],
    ['usermsg-header', 'userHeader'],
    ['push-node-state', 'nodeState'],
    ['nack', 'nack'],
    ['err', 'error'],
  ];
  const found = prefixes.find(([prefix]) => name.startsWith(prefix));
  if (found === undefined) throw new Error(`no schema for ${name}`);
  return found[1];
};

type Value = number | boolean | string | Uint8Array | undefined;

function fieldsOf(vector: (typeof golden.messages)[number]): Record<string, Value> {
  return Object.fromEntries(
    schemas[schemaOf(vector.name)].map((field) => {
      const value = vector.fields[field.key];
      if (field.type !== 'bytes') return [field.name, value ?? undefined];
      return [field.name, typeof value === 'string' ? unhex(Buffer.from(value, 'base64').toString('hex')) : undefined];
    }),
  );
}

describe('golden messages of memberlist 0.2.2', () => {
  it('are all there', () => expect(golden.messages).toHaveLength(25));

  it.each(golden.messages.map((vector) => [vector.name, vector] as const))('encodes %s', (name, vector) => {
    expect(hex(encodeFields(schemaOf(name), fieldsOf(vector), vector.type))).toBe(vector.hex);
  });

  it.each(golden.messages.map((vector) => [vector.name, vector] as const))('decodes %s', (name, vector) => {
    const decoded = decodeStruct(schemaOf(name), unhex(vector.hex), 1);
    const expected = fieldsOf(vector);
    // A field that the original leaves out comes back as its zero value.
    if (name === 'ping-min' || name === 'indirect-ping-old') expected['sourceAddr'] = undefined;
    expect(decoded).toEqual({ ok: true, value: expected });
  });
});

describe('golden decoder tolerance', () => {
  const target = (name: string): SchemaName =>
    name.startsWith('suspect') ? 'suspect' : name.startsWith('pph') ? 'pushPullHeader' : 'ack';
  // What the newer codec of memberlist 0.5.1 takes and the older refuses.
  const newer = new Set(['suspect Node as bin8', 'key as bin8']);

  it.each(golden.tolerance.map((vector) => [vector.case, vector] as const))('%s', (name, vector) => {
    const decoded = decodeStruct(target(name), unhex(vector.hex));
    expect(decoded.ok).toBe(vector.err === '' || newer.has(name));
    if (decoded.ok && vector.err === '') expect(shown(decoded.value)).toBe(vector.got);
  });

  it('reads bin where the older codec could not', () => {
    for (const name of newer) {
      const decoded = decodeStruct(target(name), unhex(golden.tolerance.find((t) => t.case === name)?.hex ?? ''));
      expect(decoded).toMatchObject({ ok: true, value: name === 'key as bin8' ? { seqNo: 42 } : { node: 'b' } });
    }
  });

  /** As Go prints a struct. */
  function shown(record: object): string {
    const shownFields = Object.entries(record).map(([name, value]) => {
      const bytes = value instanceof Uint8Array || value === undefined;
      const text = bytes ? `[${[...((value as Uint8Array | undefined) ?? [])].join(' ')}]` : String(value);
      return `${name.charAt(0).toUpperCase()}${name.slice(1)}:${text}`;
    });
    return `&{${shownFields.join(' ')}}`;
  }
});

describe('golden wrappers', () => {
  it('makes and opens the compound', () => {
    const parts = golden.compound.parts.map(unhex);
    expect(hex(encodeCompound(parts))).toBe(golden.compound.hex);
    const decoded = decodeCompound(unhex(golden.compound.hex));
    expect(decoded).toEqual({ ok: true, value: { parts, truncated: 0 } });
  });

  it('adds and checks the checksum', () => {
    expect(hex(addCrc(unhex(golden.crc.payload)))).toBe(golden.crc.hex);
    expect(hasCrc(unhex(golden.crc.hex))).toBe(true);
    expect(removeCrc(unhex(golden.crc.hex))).toEqual({ ok: true, value: unhex(golden.crc.payload) });
    const corrupt = unhex(golden.crc.hex);
    corrupt[9] = 0xff;
    expect(removeCrc(corrupt).ok).toBe(false);
  });

  it.each(golden.compress.map((vector) => [vector.name, vector] as const))('compresses %s', (name, vector) => {
    const plain = plainOf(name, vector.plainHex);
    expect(plain).toHaveLength(vector.plainLen);
    expect(crc32(plain).toString(16).padStart(8, '0')).toBe(vector.plainCrc32);
    const wire = compress(plain);
    expect(wire).toHaveLength(vector.wireLen);
    expect(crc32(wire).toString(16).padStart(8, '0')).toBe(vector.wireCrc32);
    expect(hex(wire).startsWith(vector.wireHex ?? vector.wireHeadHex ?? 'missing')).toBe(true);
    const back = decompress(wire, plain.length);
    expect(back.ok && Buffer.compare(back.value, plain)).toBe(0);
  });

  function plainOf(name: string, known: string | undefined): Uint8Array {
    if (name === 'text-18000')
      return unhex(Buffer.from('the quick brown fox jumps over the lazy dog. '.repeat(400)).toString('hex'));
    if (name === 'zeros-200000') return new Uint8Array(200_000);
    if (name !== 'random-20000') return unhex(known ?? '');
    let x = 12_345;
    return Uint8Array.from({ length: 20_000 }, () => {
      x = (Math.imul(x, 1_664_525) + 1_013_904_223) >>> 0;
      return x >>> 24;
    });
  }

  const sealed = golden.encrypt.map(
    (vector) => [`v${vector.vsn} ${vector.key.length * 4} bit "${vector.aad}"`, vector] as const,
  );
  it.each(sealed)('encrypts and decrypts %s', (_, vector) => {
    const bytes = unhex(vector.hex);
    const aad = Uint8Array.from(Buffer.from(vector.aad));
    const cipher = cipherWithNonce(bytes.slice(1, 13));
    expect(hex(encrypt(cipher, unhex(vector.key), vector.vsn, unhex(vector.plain), aad))).toBe(vector.hex);
    const opened = decrypt(cipher, ringOf(unhex(vector.key)), bytes, aad);
    expect(opened.ok && hex(opened.value)).toBe(vector.plain);
    expect(decrypt(cipher, ringOf(unhex(vector.key)), bytes, Uint8Array.of(1)).ok).toBe(false);
  });
});

describe('golden streams', () => {
  const { stream } = golden;
  const keyring = ringOf(unhex(stream.key));
  const forms = [
    ['plain', stream.plain, wireOf()],
    ['compressed', stream.compressed, wireOf({ compression: true })],
    ['encrypted', stream.encryptedPlain, wireOf({ keyring })],
    ['encrypted and compressed', stream.encryptedCompressed, wireOf({ keyring, compression: true })],
  ] as const;

  it.each(forms)('reads the push/pull that is %s, in chunks of every size', (_, text, wire) => {
    const bytes = unhex(text);
    for (const size of [1, 7, bytes.length]) {
      const reader = new StreamReader(wire, 'listener');
      let progress = reader.feed(new Uint8Array(0));
      for (let at = 0; at < bytes.length; at += size) {
        expect(progress.kind).toBe('more');
        progress = reader.feed(bytes.subarray(at, at + size));
      }
      expect(progress.kind).toBe('message');
      if (progress.kind !== 'message') return;
      expect(hex(encodeStreamMessage(progress.message))).toBe(stream.plain);
      expect(progress.message).toMatchObject({ kind: 'pushPull', join: true, states: [{ name: 'b', state: 0 }] });
    }
  });

  it.each(forms)('writes the push/pull that is %s', (_, text, wire) => {
    const reader = new StreamReader(wireOf(), 'listener');
    const progress = reader.feed(unhex(stream.plain));
    if (progress.kind !== 'message') throw new Error(progress.kind);
    const nonce = unhex(text).slice(6, 18);
    expect(hex(encodeStream(progress.message, { ...wire, cipher: cipherWithNonce(nonce) }))).toBe(text);
  });

  it('authenticates the length in the header', () => {
    const wire = wireOf({ keyring });
    const longer = unhex(stream.encryptedPlain);
    longer[4] = (longer[4] ?? 0) - 1;
    expect(new StreamReader(wire, 'listener').feed(longer)).toMatchObject({
      kind: 'fault',
      fault: { code: 'decrypt' },
    });
    expect(sealFrame(unhex('00'), unhex(stream.key), wire)).toHaveLength(5 + 30);
  });
});
