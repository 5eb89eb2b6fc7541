/** Keys of `reduce`: their canonical JSON, the bucket they belong to, and their order. The same as in Python: keys.json has both. */
import { crc32 } from 'node:zlib';

/** From here on Python writes a whole number of this kind with an exponent. */
const exactWhole = 2 ** 63;
const smallest = 1e-4;

/** The key's JSON in one form. @throws TypeError. */
export function canonical(key) {
  if (key === null || typeof key === 'boolean') return String(key);
  if (typeof key === 'string') return JSON.stringify(key);
  if (typeof key === 'number') return canonicalNumber(key);
  if (Array.isArray(key)) return `[${key.map(canonical).join(',')}]`;
  throw new TypeError(
    `a key must be null, a boolean, number, string, or an array of these; this one is a ${kindOf(key)}`,
  );
}

export function kindOf(value) {
  if (value === null || typeof value !== 'object') return value === null ? 'null' : typeof value;
  return value.constructor?.name ?? 'object';
}

function canonicalNumber(key) {
  if (!Number.isFinite(key)) throw new TypeError('a key cannot be NaN or Infinity');
  const size = Math.abs(key);
  if (size >= exactWhole) return key.toExponential();
  if (size === 0 || size >= smallest) return JSON.stringify(key);
  return key.toExponential().replace(/e-(\d)$/, 'e-0$1');
}

export const bucketOf = (text, buckets) => crc32(text) % buckets;

const rank = (key) => {
  if (key === null) return 0;
  if (Array.isArray(key)) return 4;
  return { boolean: 1, number: 2, string: 3 }[typeof key];
};

/** null < boolean < number < string (by code point) < array. */
export function compare(a, b) {
  const ranks = rank(a) - rank(b);
  if (ranks !== 0 || a === null) return ranks;
  if (typeof a === 'string') return compareText(a, b);
  if (!Array.isArray(a)) return a - b;
  for (let i = 0; i < a.length && i < b.length; i += 1) {
    const order = compare(a[i], b[i]);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

/** JavaScript compares 16-bit units; those of characters beyond the first plane are lower than some that come before them. */
function compareText(a, b) {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i += 1) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (x === y) continue;
    if (x >= 0xd800 && y >= 0xd800) return a.codePointAt(i) - b.codePointAt(i);
    return x - y;
  }
  return a.length - b.length;
}
