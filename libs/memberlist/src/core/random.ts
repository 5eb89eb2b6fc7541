import type { Rng } from './types.js';

/** A repeatable source of chance for simulations (mulberry32). Not for keys or nonces. */
export function seededRng(seed: number): Rng {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b_79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

/** A whole number from 0 to n − 1; 0 when there is nothing to choose from. */
export function randomOffset(n: number, rng: Rng): number {
  return n <= 0 ? 0 : Math.floor(rng() * n);
}

/** Puts the items into a random order, in place (Fisher–Yates). */
export function shuffle<T>(items: T[], rng: Rng): void {
  for (let i = items.length - 1; i > 0; i--) {
    const j = randomOffset(i + 1, rng);
    const [a, b] = [items[i], items[j]];
    if (a === undefined || b === undefined) continue;
    items[i] = b;
    items[j] = a;
  }
}

/**
 * Up to `k` different items that pass. A short list is searched to its end; in a long one 3n draws find them almost surely
 * without copying it (memberlist `util.go`, kRandomNodes).
 */
export function pickRandom<T>(items: readonly T[], k: number, rng: Rng, passes: (item: T) => boolean): T[] {
  if (items.length < 3 * k) {
    const copy = [...items];
    shuffle(copy, rng);
    return copy.filter(passes).slice(0, k);
  }
  const picked = new Set<T>();
  for (let draw = 0; draw < 3 * items.length && picked.size < k; draw++) {
    const item = items[randomOffset(items.length, rng)];
    if (item !== undefined && !picked.has(item) && passes(item)) picked.add(item);
  }
  return [...picked];
}
