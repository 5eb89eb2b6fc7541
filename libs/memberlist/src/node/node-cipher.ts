import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Cipher } from '../core/codec/cipher.js';

const tagBytes = 16;
const nonceBytes = 12;
type Algorithm = 'aes-128-gcm' | 'aes-192-gcm' | 'aes-256-gcm';
const algorithms = new Map<number, Algorithm>([
  [16, 'aes-128-gcm'],
  [24, 'aes-192-gcm'],
  [32, 'aes-256-gcm'],
]);

/** AES-GCM by OpenSSL. */
export class NodeCipher implements Cipher {
  /** @throws RangeError for a key of a size that AES has not: keyrings refuse such keys. */
  seal(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Uint8Array {
    const cipher = createCipheriv(algorithm(key), key, nonce, { authTagLength: tagBytes });
    // Also when empty: without the call some OpenSSL builds compute another tag.
    cipher.setAAD(aad);
    return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
  }

  open(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
    if (sealed.length < tagBytes) return undefined;
    try {
      const decipher = createDecipheriv(algorithm(key), key, nonce, { authTagLength: tagBytes });
      decipher.setAAD(aad);
      decipher.setAuthTag(sealed.subarray(sealed.length - tagBytes));
      const plaintext = decipher.update(sealed.subarray(0, sealed.length - tagBytes));
      return Buffer.concat([plaintext, decipher.final()]);
    } catch {
      return undefined;
    }
  }

  nonce(): Uint8Array {
    return randomBytes(nonceBytes);
  }
}

function algorithm(key: Uint8Array): Algorithm {
  const name = algorithms.get(key.length);
  if (name === undefined) throw new RangeError(`AES has no key of ${key.length} bytes`);
  return name;
}
