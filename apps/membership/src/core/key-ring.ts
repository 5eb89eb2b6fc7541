/** The keys of a node's gossip. */
export interface KeyRing {
  /**
   * How often a key was dropped, or another one made to encrypt. Keys of a higher edition are newer, whoever has them and whenever it
   * started. 0: a plain list, as an operator or `serf` writes it, and a key made of the cluster's token; 1: a fresh key of `das up`.
   */
  readonly edition: number;
  /** Base64; the first encrypts. Empty: no encryption. */
  readonly keys: readonly string[];
}

/**
 * Whether a node with `own` keys takes those of another. Only newer ones, so that a key that was removed never comes back; one that does not
 * encrypt goes on like that.
 */
export const isNewer = (other: number, own: KeyRing): boolean => own.keys.length > 0 && other > own.edition;
