import { concat } from './bytes.js';
import type { Cipher } from './cipher.js';
import type { Keyring } from './keyring.js';
import { type Decoded, decoded, undecodable } from './struct.js';

/** 0 pads to 16 bytes (protocol 1), 1 does not (protocol 2 and later). */
export type EncryptionVersion = 0 | 1;

const nonceBytes = 12;
const tagBytes = 16;
const blockBytes = 16;
const headBytes = 1 + nonceBytes;

/** Bytes that encryption adds at most. It is the shortest valid length as well. */
export function encryptionOverhead(version: EncryptionVersion): number {
  return headBytes + tagBytes + (version === 0 ? blockBytes : 0);
}

/** Exact length of `plainBytes` once encrypted. A stream says it before it encrypts, for the length is authenticated too. */
export function encryptedLength(version: EncryptionVersion, plainBytes: number): number {
  const padding = version === 0 ? blockBytes - (plainBytes % blockBytes) : 0;
  return headBytes + plainBytes + padding + tagBytes;
}

/** Version, nonce, ciphertext, tag. `aad` is authenticated and not sent. */
export function encrypt(
  cipher: Cipher,
  key: Uint8Array,
  version: EncryptionVersion,
  plaintext: Uint8Array,
  aad: Uint8Array,
): Uint8Array {
  const nonce = cipher.nonce();
  const padded = version === 0 ? pad(plaintext) : plaintext;
  return concat([Uint8Array.of(version), nonce, cipher.seal(key, nonce, aad, padded)]);
}

/** Tries every key in the ring's order. */
export function decrypt(cipher: Cipher, keyring: Keyring, sealed: Uint8Array, aad: Uint8Array): Decoded<Uint8Array> {
  const version = sealed[0];
  if (version !== 0 && version !== 1) return undecodable('unsupported encryption version');
  if (sealed.length < encryptionOverhead(version)) return undecodable('payload is too small to decrypt');
  const nonce = sealed.subarray(1, headBytes);
  const rest = sealed.subarray(headBytes);
  for (const key of keyring.keys) {
    const plaintext = cipher.open(key, nonce, aad, rest);
    if (plaintext !== undefined) return version === 0 ? unpad(plaintext) : decoded(plaintext);
  }
  return undecodable('no installed keys could decrypt the message');
}

/** PKCS#7: as many bytes as are missing to a whole block, a whole block when none is. */
export function pad(bytes: Uint8Array): Uint8Array {
  const missing = blockBytes - (bytes.length % blockBytes);
  return concat([bytes, new Uint8Array(missing).fill(missing)]);
}

/** Undoes {@link pad}. The original does not check the count and can fail on it. */
export function unpad(bytes: Uint8Array): Decoded<Uint8Array> {
  const count = bytes.at(-1) ?? 0;
  if (count < 1 || count > blockBytes || count > bytes.length) return undecodable('padding is wrong');
  return decoded(bytes.subarray(0, bytes.length - count));
}
