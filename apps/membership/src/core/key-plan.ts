import type { KeyAction } from '@das/contracts';

/** A key of the ring: its text (base64) and the fingerprint that names it. */
export interface RingKey {
  readonly text: string;
  readonly fingerprint: string;
}

/** What becomes of a ring; the first key encrypts. */
export type KeyPlan =
  | { readonly outcome: 'done' | 'unchanged'; readonly keys: readonly RingKey[] }
  | { readonly outcome: 'refused'; readonly reason: string };

/**
 * One step of a rotation: install everywhere, use everywhere, remove everywhere. Repeating a step changes nothing.
 * `key`: a whole key or, where the ring has it, its fingerprint.
 */
export function planKeys(ring: readonly RingKey[], action: KeyAction, key: RingKey, keysMax: number): KeyPlan {
  const installed = ring.find((one) => one.text === key.text || one.fingerprint === key.text);
  const refused = (reason: string): KeyPlan => ({ outcome: 'refused', reason });
  switch (action) {
    case 'list':
      return { outcome: 'unchanged', keys: ring };
    case 'install':
      if (installed !== undefined) return { outcome: 'unchanged', keys: ring };
      if (ring.length === 0) return refused('its gossip is not encrypted; it has to start with a keyring');
      if (ring.length >= keysMax) return refused(`it has ${ring.length} keys already; remove old ones first`);
      return { outcome: 'done', keys: [...ring, key] };
    case 'use':
      if (installed === undefined) return refused('it does not have this key; install it first');
      if (installed === ring[0]) return { outcome: 'unchanged', keys: ring };
      return { outcome: 'done', keys: [installed, ...ring.filter((one) => one !== installed)] };
    case 'remove':
      if (installed === undefined) return { outcome: 'unchanged', keys: ring };
      if (installed === ring[0]) return refused('this key encrypts; use another one first');
      return { outcome: 'done', keys: ring.filter((one) => one !== installed) };
  }
}
