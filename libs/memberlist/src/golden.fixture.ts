import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Cipher } from './core/codec/cipher.js';
import { Keyring } from './core/codec/keyring.js';
import type { Wire } from './core/codec/wire.js';
import { NodeCipher } from './node/node-cipher.js';

interface GoldenCompression {
  readonly name: string;
  readonly plainHex?: string;
  readonly plainLen: number;
  readonly plainCrc32: string;
  readonly wireHex?: string;
  readonly wireHeadHex?: string;
  readonly wireLen: number;
  readonly wireCrc32: string;
}

interface Golden {
  readonly messages: readonly {
    readonly name: string;
    readonly hex: string;
    readonly type: number;
    readonly fields: Readonly<Record<string, string | number | boolean | null>>;
  }[];
  readonly compound: { readonly hex: string; readonly parts: readonly string[] };
  readonly crc: { readonly hex: string; readonly payload: string };
  readonly compress: readonly GoldenCompression[];
  readonly encrypt: readonly { aad: string; hex: string; key: string; plain: string; vsn: 0 | 1 }[];
  readonly stream: {
    readonly plain: string;
    readonly compressed: string;
    readonly encryptedPlain: string;
    readonly encryptedCompressed: string;
    readonly key: string;
  };
  readonly tolerance: readonly { readonly case: string; readonly err: string; readonly got: string; hex: string }[];
  readonly formulas: {
    readonly byClusterSize: readonly {
      readonly n: number;
      readonly lanMs: number;
      readonly localMs: number;
      readonly wanMs: number;
      readonly pushPull30: number;
      readonly retransmit2: number;
      readonly retransmit4: number;
    }[];
    readonly suspicion: readonly { k: number; n: number; minMs: number; maxMs: number; remainingMs: number }[];
  };
}

const file = join(__dirname, '../testdata/golden-v0.2.2.json');

/** What the original produced. */
export const golden = JSON.parse(readFileSync(file, 'utf8')) as Golden;

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
export const unhex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'));
export const ascii = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text));

/** A cipher whose nonces are given: an encryption can then be compared byte by byte. */
export function cipherWithNonce(nonce: Uint8Array): Cipher {
  const real = new NodeCipher();
  return { seal: real.seal.bind(real), open: real.open.bind(real), nonce: () => nonce };
}

/** A ring of these keys, the first primary. */
export function ringOf(...keys: readonly Uint8Array[]): Keyring {
  const ring = Keyring.create(keys, keys[0]);
  if (!(ring instanceof Keyring)) throw new Error(ring);
  return ring;
}

/** A wire without label, keys and compression, unless told otherwise. */
export function wireOf(options: Partial<Wire> = {}): Wire {
  return {
    label: new Uint8Array(0),
    skipInboundLabelCheck: false,
    cipher: new NodeCipher(),
    keyring: new Keyring(),
    verifyIncoming: true,
    verifyOutgoing: true,
    encryptionVersion: 1,
    compression: false,
    ...options,
  };
}
