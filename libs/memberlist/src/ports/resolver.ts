/** Looks up host names. */
export interface Resolver {
  /** All addresses of a host, 4 or 16 bytes each. @throws Error when there is none */
  resolve(host: string): Promise<readonly Uint8Array[]>;
}
