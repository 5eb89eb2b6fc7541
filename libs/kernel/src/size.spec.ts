import { sizeText } from './size.js';

const mib = 1024 * 1024;

it.each([
  [7, '7 bytes'],
  [1536, '1.5 KiB'],
  [512 * mib, '512 MiB'],
  [2 * 1024 * mib, '2 GiB'],
  [5000 * 1024 * mib, '5000 GiB'],
])('sizes are told in units: %d', (count, words) => expect(sizeText(count)).toBe(words));
