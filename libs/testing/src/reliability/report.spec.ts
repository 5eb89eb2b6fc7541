import type { PerformedFault, Recovery } from './figures.js';
import { missed, summary, table } from './report.js';
import type { SeededRun } from './session.js';

const fault: PerformedFault = {
  name: 'kill leader',
  hit: 'node-1',
  at: 0,
  healedAt: 1,
  nodes: ['node-1'],
  server: false,
};
const run = (recoveries: Recovery[], more: Partial<SeededRun> = {}): SeededRun => ({
  seed: 1,
  shape: 'map',
  wallMs: 12_000,
  baselineMs: 10_000,
  lostWorkMs: 1_500,
  faults: recoveries.map(({ name }) => ({ ...fault, name })),
  recoveries,
  terms: 1,
  violations: [],
  logs: [],
  ...more,
});
const leader = (newLeaderMs: number): Recovery => ({
  name: 'kill leader',
  newLeaderMs,
  reassignedMs: [newLeaderMs + 200],
  stallMs: 900,
});

describe('the report of many runs', () => {
  it('puts the recoveries of one sort of fault into a row', () => {
    const told = summary([run([leader(1_000)]), run([leader(2_000)])]);
    expect(told).toMatchObject({ runs: 2, faults: 2, violations: 0, extra: { median: 0.05, worst: 0.05 } });
    expect(table(told)).toContain(
      '| kill leader | 2 | 1.00 / 2.00 / 2.00 | 1.20 / 2.20 / 2.20 |  | 0.90 / 0.90 / 0.90 |',
    );
  });

  it('says which bounds are not kept: killed alone, by 95 of 100', () => {
    const good = Array.from({ length: 39 }, () => run([leader(1_000)]));
    const late = run([leader(20_000)]);
    expect(missed(summary([...good, late]), 'bully')).toEqual([]);
    const often = summary([...good, late, late, late]);
    expect(missed(often, 'raft')).toEqual([
      'new leader after SIGKILL (p95): 20.00 s instead of at most 2.50 s',
      "next attempt of a killed node's parts (p95): 20.20 s instead of at most 3.00 s",
    ]);
    const slow = { ...leader(1_000), name: 'two at once', newLeaderMs: 30_000, reassignedMs: [30_000] };
    expect(missed(summary([run([slow])]), 'bully')).toEqual([]);
    expect(missed(summary([run([leader(8_000)])]), 'lease')).toHaveLength(1);
    expect(missed(summary([run([], { wallMs: 12_600 })]), 'bully')).toEqual([
      'extra wall time (median): 11.0 % instead of at most 10.0 %',
    ]);
  });

  it('compares only runs that have something to be compared with', () => {
    const told = summary([run([], { wallMs: 0 })]);
    expect(told.extra).toBeUndefined();
  });
});
