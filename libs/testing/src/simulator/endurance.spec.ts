import { endure } from './endurance.js';
import { BrokenPromise } from './judge.js';
import { optionsOf } from './options.js';
import type { Weakening } from './weakening.js';

const hours = 0.4;

/** As if nodes never showed that they stopped: what is remembered of ended jobs stays. */
const leaking: Weakening = {
  office: (real) => {
    const kept = new Map<string, Set<never>>();
    return (office, event, now) => {
      const effects = real(office, event, now);
      for (const job of office.assigner.jobs.keys()) kept.set(job, new Set());
      for (const job of kept.keys()) office.assigner.stopping.set(job as never, new Set());
      return effects;
    };
  },
};

describe('a cluster that runs for long', () => {
  it('keeps every state map small', () => {
    const { jobs, restarts } = endure(optionsOf(3), hours);
    expect(jobs).toBeGreaterThan(20);
    expect(restarts).toBeGreaterThan(1);
  });

  it('is found to leak when it does', () => {
    const leak = (): unknown => endure(optionsOf(3, { weaken: leaking }), hours);
    expect(leak).toThrow(BrokenPromise);
    expect(leak).toThrow(/every state map is bounded: n\d: assigner.stopping/);
  });
});
