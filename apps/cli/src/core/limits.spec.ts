import { resourceLimitsSchema } from '@das/contracts';
import { limitOptions, limitsOf, parseBytes } from './limits.js';

describe('limits on the command line', () => {
  it.each([
    ['1000', 1000],
    ['512M', 512 * 2 ** 20],
    ['1.5g', 1.5 * 2 ** 30],
    ['64KiB', 65_536],
    ['2TB', 2 * 2 ** 40],
  ])('reads the size %s', (text, bytes) => expect(parseBytes(text, '--memory')).toBe(bytes));

  it.each(['', 'much', '5X', '-1', '1e3'])('refuses the size %j', (text) =>
    expect(() => parseBytes(text, '--memory')).toThrow('is not a size'),
  );

  it('become those of the submission, and nothing where none is given', () => {
    expect(limitsOf({})).toBeUndefined();
    expect(limitsOf({ memory: '64M', cpuTime: '60s', maxTime: '5m', processes: '64', logRate: '10' })).toEqual({
      memoryBytes: 64 * 2 ** 20,
      cpuMs: 60_000,
      wallMs: 300_000,
      processes: 64,
      logLinesPerSecond: 10,
    });
    expect(() => limitsOf({ processes: 'few' })).toThrow('does not fit');
  });

  it('has an option for each limit', () => {
    expect(limitOptions.map(([, , limit]) => limit).sort()).toEqual(Object.keys(resourceLimitsSchema.shape).sort());
  });
});
