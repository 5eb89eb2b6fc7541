/** AES-GCM with a 16-byte tag and a 12-byte nonce. The key's size (16, 24 or 32 bytes) chooses AES-128, -192 or -256. */
export interface Cipher {
  /** Ciphertext followed by its tag. */
  seal(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Uint8Array;
  /** The plaintext, or nothing when key, nonce, additional data or tag do not fit. Never throws on input. */
  open(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Uint8Array | undefined;
  /** Twelve bytes never used before with a key: from a cryptographic source outside of simulations. */
  nonce(): Uint8Array;
}

/** Sizes of AES keys, in bytes. */
export const keySizes: readonly number[] = [16, 24, 32];
