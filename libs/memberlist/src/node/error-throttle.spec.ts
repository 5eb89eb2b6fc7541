import { ErrorThrottle } from './error-throttle.js';

describe('a burst of errors', () => {
  it('is told less and less often: 4 s of accept errors are about ten words', () => {
    let now = 0;
    const throttle = new ErrorThrottle(() => now);
    const told: string[] = [];
    for (; now < 4_000; now++) {
      const word = throttle.admit('accept EMFILE');
      if (word !== undefined) told.push(word);
    }
    expect(told.length).toBeGreaterThan(8);
    expect(told.length).toBeLessThan(14);
    expect(told.slice(0, 3)).toEqual([
      'accept EMFILE',
      'accept EMFILE (and 4 times since the last word)',
      'accept EMFILE (and 9 times since the last word)',
    ]);
  });

  it('is told at once again after it ended', () => {
    const throttle = new ErrorThrottle(() => 0);
    expect([throttle.admit('a'), throttle.admit('b')]).toEqual(['a', undefined]);
    throttle.reset();
    expect(throttle.admit('c')).toBe('c (and 1 times since the last word)');
  });
});
