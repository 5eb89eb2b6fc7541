import type { PartView } from '@das/contracts';
import { type PerformedFault, lostWorkMs, quantile, recoveriesOf } from './figures.js';

type Attempt = PartView['attempts'][number];
const attempt = (node: string, state: Attempt['state'], startedAt: number, endedAt?: number): Attempt =>
  ({ attempt: startedAt, node, term: 1, state, startedAt, ...(endedAt === undefined ? {} : { endedAt }) }) as Attempt;
const part = (...attempts: Attempt[]): PartView =>
  ({ part: 'map:0-1', kind: 'map', from: 0, to: 1, tries: 0, state: 'committed', attempts }) as PartView;
const fault = (more: Partial<PerformedFault>): PerformedFault => ({
  name: 'kill other node',
  hit: 'b',
  at: 1_000,
  healedAt: 3_000,
  nodes: ['b'],
  server: false,
  ...more,
});
const only = (one: PerformedFault, parts: PartView[], endedAt = 60_000) => recoveriesOf([one], parts, endedAt)[0]!;

describe('recovery from a fault', () => {
  it('counts, for parts that only the hit node had, the time to their next attempt', () => {
    const parts = [
      part(attempt('b', 'ended', 500, 2_500), attempt('a', 'committed', 2_600, 3_000)),
      // Committed in time, with a twin elsewhere, given out later, or another node's: none of them was orphaned.
      part(attempt('b', 'committed', 500, 1_100)),
      part(attempt('b', 'ended', 500, 2_500), attempt('a', 'committed', 700, 3_000)),
      part(attempt('b', 'ended', 1_200, 2_500), attempt('a', 'committed', 2_700, 3_000)),
      part(attempt('a', 'committed', 500, 3_000)),
    ];
    expect(only(fault({}), parts).reassignedMs).toEqual([1_600]);
    expect(only(fault({ nodes: [] }), parts).reassignedMs).toEqual([]);
  });

  it('takes a server for back in use when something was given out and something committed', () => {
    const away = fault({ server: true, nodes: [] });
    const parts = [part(attempt('a', 'committed', 500, 3_400)), part(attempt('a', 'committed', 3_900, 4_200))];
    expect(only(away, parts).goesOnMs).toBe(900);
    expect(only(away, [parts[0]!]).goesOnMs).toBeUndefined();
    expect(only(fault({}), parts).goesOnMs).toBeUndefined();
  });

  it('knows the longest time without a commit, up to the next fault', () => {
    const parts = [1_100, 2_900, 3_000, 7_000, 20_000].map((at) => part(attempt('a', 'committed', 0, at)));
    expect(only(fault({}), parts).stallMs).toBe(4_000);
    const next = fault({ at: 4_000, healedAt: 4_100 });
    expect(recoveriesOf([fault({}), next], parts, 60_000)[0]!.stallMs).toBe(1_800);
  });
});

describe('lost work', () => {
  const cluster = { nodes: ['a', 'b'], slots: 2, endedAt: 60_000 };

  it('is the time in which slots could not work, as a share of all', () => {
    expect(lostWorkMs([fault({})], [], cluster)).toBe(1_000);
    expect(lostWorkMs([fault({ server: true, nodes: [] })], [], cluster)).toBe(2_000);
    expect(lostWorkMs([fault({}), fault({ at: 2_000, healedAt: 4_000 })], [], cluster)).toBe(1_500);
    expect(lostWorkMs([fault({ healedAt: 90_000 })], [], { ...cluster, endedAt: 2_000 })).toBe(500);
  });

  it('adds what was done of attempts that ended with their node, one for each slot', () => {
    const attempts = [900, 800, 100].map((from) => part(attempt('b', 'ended', from, 2_500)));
    expect(lostWorkMs([fault({ healedAt: 1_000 })], attempts, cluster)).toBe((900 + 200) / 4);
  });
});

it('reads quantiles off values: the worst is the last', () => {
  const values = Array.from({ length: 100 }, (_, index) => 100 - index);
  expect([0.5, 0.95, 1].map((q) => quantile(values, q))).toEqual([50, 95, 100]);
  expect(quantile([3], 0.95)).toBe(3);
  expect(() => quantile([], 0.5)).toThrow(RangeError);
});
