import { seededRng } from './core/rng.js';
import { CutConnectionError, Faults, ImitatedFailureError } from './faults.js';

const noSleep = (): Promise<void> => Promise.resolve();

describe('Faults', () => {
  it('waits as long as it should, before it fails', async () => {
    const slept: number[] = [];
    const faults = new Faults(
      { latencyMs: 250, failRate: 1 },
      () => 0,
      async (ms) => void slept.push(ms),
    );
    await expect(faults.strike()).rejects.toThrow(ImitatedFailureError);
    expect(slept).toEqual([250]);
  });

  it('fails in two ways, as the random numbers say', async () => {
    const numbers = [0.19, 0.4, 0.19, 0.5, 0.2];
    const faults = new Faults({ latencyMs: 0, failRate: 0.2 }, () => numbers.shift() ?? 1, noSleep);
    await expect(faults.strike()).rejects.toThrow(ImitatedFailureError);
    await expect(faults.strike()).rejects.toThrow(CutConnectionError);
    await expect(faults.strike()).resolves.toBeUndefined();
  });

  it('fails about as often as it should', async () => {
    const faults = new Faults({ latencyMs: 0, failRate: 0.3 }, seededRng(7), noSleep);
    const results = await Promise.allSettled(Array.from({ length: 2000 }, () => faults.strike()));
    const failed = results.filter((result) => result.status === 'rejected').length;
    expect(failed / results.length).toBeCloseTo(0.3, 1);
  });
});
