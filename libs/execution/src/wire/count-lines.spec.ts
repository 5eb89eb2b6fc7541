import fc from 'fast-check';
import { countLines } from './count-lines.js';

it('counts line ends, wherever the bytes begin and whatever else they are', () => {
  const byte = fc.oneof(fc.constantFrom(0x0a, 0x0b, 0x8a, 0, 0xff), fc.integer({ min: 0, max: 255 }));
  fc.assert(
    fc.property(fc.array(byte, { maxLength: 70 }), fc.nat(7), (given, skipped) => {
      const bytes = Uint8Array.from([...Array<number>(skipped).fill(0x0a), ...given]).subarray(skipped);
      expect(countLines(bytes)).toBe(given.filter((value) => value === 0x0a).length);
    }),
  );
});
