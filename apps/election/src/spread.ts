import { createHash } from 'node:crypto';
import type { Rng } from '@das/kernel';

/** Random numbers that differ between nodes and starts: hashes of a fresh random id and a counter. For waits, not for secrets. */
export function seededBy(id: string): Rng {
  let drawn = 0;
  return () => {
    drawn += 1;
    return createHash('sha256').update(`${id}:${drawn}`).digest().readUInt32BE(0) / 2 ** 32;
  };
}
