import type { Cipher } from '../core/codec/cipher.js';
import { Keyring } from '../core/codec/keyring.js';
import type { Wire } from '../core/codec/wire.js';

const noCipher: Cipher = { seal: () => new Uint8Array(0), open: () => undefined, nonce: () => new Uint8Array(12) };

/** Neither key nor label; compressed where the original does. */
export function plainWire(): Wire {
  return {
    label: new Uint8Array(0),
    skipInboundLabelCheck: false,
    cipher: noCipher,
    keyring: new Keyring(),
    verifyIncoming: true,
    verifyOutgoing: true,
    encryptionVersion: 1,
    compression: true,
  };
}
