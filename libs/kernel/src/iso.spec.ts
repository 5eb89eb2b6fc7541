import fc from 'fast-check';
import { isoOf } from './iso.js';

it('writes times as the calendar of the runtime does', () =>
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 253_402_300_799_999 }), (ms) =>
      expect(isoOf(ms)).toBe(new Date(ms).toISOString()),
    ),
  ));
