import { seeded } from '@das/election/sim';
import { faultKinds } from './faults.js';
import { type PlannedFault, described, planFaults, usualPace } from './plan.js';

const nameOf = ({ hits }: PlannedFault): string => hits[0]!.kind.name;
const options = { seed: 7, processes: 'single', count: 20, pace: usualPace } as const;
const seeds = Array.from({ length: 200 }, (_, seed) => seed);

describe('a plan of faults', () => {
  it('is the same for the same seed, and another one for another', () => {
    expect(planFaults(options)).toEqual(planFaults(options));
    const texts = seeds.map((seed) =>
      planFaults({ ...options, seed })
        .map(described)
        .join('\n'),
    );
    expect(new Set(texts).size).toBe(seeds.length);
  });

  it.each([3, 4, 5, 20])('of %i faults kills the leader, another node and a server in every run, early', (count) => {
    for (const seed of seeds) {
      const early = planFaults({ ...options, seed, count }).slice(0, 5);
      const names = early.map(nameOf);
      expect(names).toEqual(expect.arrayContaining(['kill leader', 'kill other node']));
      expect(names.some((name) => name === 'kill Postgres' || name === 'kill NATS')).toBe(true);
    }
  });

  it('repeats no kind before all others were drawn', () => {
    const { length } = faultKinds('single');
    for (const seed of seeds) {
      const names = planFaults({ ...options, seed, count: length }).map(nameOf);
      expect(new Set(names).size).toBe(length);
    }
  });

  it('comes to every kind of fault in a few runs', () => {
    for (const processes of ['single', 'split'] as const) {
      const seen = seeds.flatMap((seed) => planFaults({ ...options, seed, processes }).map(nameOf));
      expect(new Set(seen)).toEqual(new Set(faultKinds(processes).map(({ name }) => name)));
    }
  });

  it('pauses for longer than anybody waits before it declares a node dead', () => {
    const hits = seeds.flatMap((seed) => planFaults({ ...options, seed })).flatMap((planned) => planned.hits);
    const pauses = hits.filter(({ kind }) => kind.action === 'pause');
    expect(new Set(pauses.map(({ downMs }) => downMs))).toEqual(new Set([5_000]));
  });

  it('never hits the same place with both of two faults at once', () => {
    const twos = seeds.flatMap((seed) => planFaults({ ...options, seed })).filter(({ hits }) => hits.length > 1);
    expect(twos.length).toBeGreaterThan(100);
    for (const { hits } of twos) expect(new Set(hits.map(({ kind }) => kind.target.on)).size).toBe(2);
  });
});

it('draws numbers evenly from a seed', () => {
  const rng = seeded(1);
  const tenths = Array.from({ length: 10 }, () => 0);
  for (let draw = 0; draw < 10_000; draw += 1) tenths[Math.floor(rng() * 10)]! += 1;
  for (const count of tenths) expect(Math.abs(count - 1_000)).toBeLessThan(150);
});
