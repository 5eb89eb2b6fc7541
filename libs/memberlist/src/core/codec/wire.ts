import type { Cipher } from './cipher.js';
import type { EncryptionVersion } from './encryption.js';
import type { Keyring } from './keyring.js';
import { type LabelPolicy, labelOverhead } from './label.js';
import { encryptionOverhead } from './encryption.js';

/** How packets and streams are wrapped and what is accepted. The same for every exchange of a node. */
export interface Wire extends LabelPolicy {
  readonly cipher: Cipher;
  /** Encryption is on while it has a key; it may get its first one later. */
  readonly keyring: Keyring;
  /** Refuse what is not encrypted, while encryption is on. Off only during an upgrade. */
  readonly verifyIncoming: boolean;
  /** Encrypt what we send, while encryption is on. Off only during an upgrade. */
  readonly verifyOutgoing: boolean;
  readonly encryptionVersion: EncryptionVersion;
  readonly compression: boolean;
}

/** The key to encrypt with, when what we send is to be encrypted. */
export function sendingKey(wire: Wire): Uint8Array | undefined {
  return wire.verifyOutgoing ? wire.keyring.primary : undefined;
}

/** Bytes that label and encryption add to a datagram. Reserved as soon as there is a key, as the original does for gossip. */
export function wireOverhead(wire: Wire): number {
  const sealed = wire.keyring.primary === undefined ? 0 : encryptionOverhead(wire.encryptionVersion);
  return labelOverhead(wire.label) + sealed;
}

/** Why something from the network was dropped: a word for metrics, and the details for a log line. */
export interface WireFault {
  readonly code:
    | 'empty'
    | 'label'
    | 'decrypt'
    | 'plaintext'
    | 'checksum'
    | 'malformed'
    | 'unknownType'
    | 'tooLarge'
    | 'remote'
    | 'truncated';
  readonly detail: string;
}
