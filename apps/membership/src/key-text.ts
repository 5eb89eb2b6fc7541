import { createHash } from 'node:crypto';
import type { GossipKey } from '@das/contracts';
import type { RingKey } from './core/key-plan.js';

const sizes: ReadonlySet<number> = new Set([16, 24, 32]);
const base64 = /^[A-Za-z0-9+/]+={0,2}$/;

export const keyBytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'));
export const keyText = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

/** Whether a text is a key: base64, as it is written by {@link keyText}, of a size that AES has. */
export const isKeyText = (text: string): boolean =>
  base64.test(text) && sizes.has(keyBytes(text).length) && keyText(keyBytes(text)) === text;

/** Names a key without telling it. */
export const fingerprintOf = (text: string): string =>
  createHash('sha256').update(keyBytes(text)).digest('hex').slice(0, 8);

export const ringKey = (text: string): RingKey => ({ text, fingerprint: fingerprintOf(text) });

/** A ring as people may see it. */
export const shownKeys = (ring: readonly RingKey[]): GossipKey[] =>
  ring.map(({ text, fingerprint }, index) => ({ fingerprint, bytes: keyBytes(text).length, primary: index === 0 }));
