import fc from 'fast-check';
import { afterDeath, healthyAfterMs, noFailures, restartPauseMaxMs } from './backoff.js';

const pauses = (lives: readonly number[]): number[] => {
  let backoff = noFailures;
  return lives.map((lived) => {
    const next = afterDeath(backoff, lived);
    backoff = next.backoff;
    return next.pauseMs;
  });
};

describe('the pause before a restart', () => {
  it('doubles with each early death', () => expect(pauses([0, 0, 0, 0])).toEqual([250, 500, 1_000, 2_000]));
  it('never passes its limit, however often a process dies', () => {
    expect(pauses(Array.from({ length: 2_000 }, () => 0)).at(-1)).toBe(restartPauseMaxMs);
  });
  it('is short again after a healthy life', () => {
    expect(pauses([0, 0, 0, healthyAfterMs, 0])).toEqual([250, 500, 1_000, 250, 500]);
  });
  it('is always more than nothing and at most the limit', () =>
    fc.assert(
      fc.property(fc.array(fc.nat(120_000)), (lives) =>
        pauses(lives).every((pause) => pause > 0 && pause <= restartPauseMaxMs),
      ),
    ));
});
