import { equalBytes } from './bytes.js';
import { keySizes } from './cipher.js';

/** Why a keyring did not do what was asked. */
export type KeyProblem = 'badKeySize' | 'notInstalled' | 'isPrimary' | 'primaryRequired';

/** Keys in order: the first encrypts, every one decrypts. Rotation: add everywhere, use everywhere, remove everywhere. */
export class Keyring {
  #keys: readonly Uint8Array[] = [];

  /** A ring of `keys` with `primary` first; a problem when a size is wrong, or when keys come without a primary one. */
  static create(keys: readonly Uint8Array[], primary: Uint8Array | undefined): Keyring | KeyProblem {
    const ring = new Keyring();
    if (primary === undefined || primary.length === 0) return keys.length === 0 ? ring : 'primaryRequired';
    for (const key of [primary, ...keys]) {
      const problem = ring.add(key);
      if (problem !== undefined) return problem;
    }
    return ring;
  }

  /** All keys, the primary one first. */
  get keys(): readonly Uint8Array[] {
    return this.#keys;
  }

  /** The key that encrypts; none in an empty ring, which means no encryption. */
  get primary(): Uint8Array | undefined {
    return this.#keys[0];
  }

  /** Adds a key at the end; one already there changes nothing. */
  add(key: Uint8Array): KeyProblem | undefined {
    if (!keySizes.includes(key.length)) return 'badKeySize';
    if (!this.#has(key)) this.#keys = [...this.#keys, key.slice()];
    return undefined;
  }

  /** Makes an installed key the primary one; the others keep their order. */
  use(key: Uint8Array): KeyProblem | undefined {
    const installed = this.#keys.find((other) => equalBytes(other, key));
    if (installed === undefined) return 'notInstalled';
    this.#keys = [installed, ...this.#keys.filter((other) => other !== installed)];
    return undefined;
  }

  /** Removes a key; an unknown one changes nothing, the primary one is refused. */
  remove(key: Uint8Array): KeyProblem | undefined {
    if (this.primary !== undefined && equalBytes(this.primary, key)) return 'isPrimary';
    this.#keys = this.#keys.filter((other) => !equalBytes(other, key));
    return undefined;
  }

  #has(key: Uint8Array): boolean {
    return this.#keys.some((other) => equalBytes(other, key));
  }
}
