import type { PartView } from '@das/contracts';
import { partFaults, resultFaults } from './checks.js';
import { knownJob } from './job.js';

type Attempt = PartView['attempts'][number];
const committed = { attempt: 1, node: 'node-1', term: 1, state: 'committed', startedAt: 1, endedAt: 2 } as Attempt;
const part = (from: number, to: number, more: Partial<PartView> = {}): PartView => ({
  part: `map:${from}-${to}` as PartView['part'],
  kind: 'map',
  from,
  to,
  tries: 0,
  state: 'committed',
  attempts: [committed],
  ...more,
});

describe('a result', () => {
  const of = (got: string) => resultFaults('it', '1\n2\n3\n', got);

  it('is right only byte for byte', () => {
    expect(of('1\n2\n3\n')).toEqual([]);
    expect(of('1\n3\n2\n')).toEqual(['it: every line is there, but not in order']);
    expect(of('1\n3\n')).toEqual(['it: 1 lines are lost: 2']);
    expect(of('1\n2\n2\n3\n')).toEqual(['it: 1 lines are twice or strange: 2']);
    expect(of('1\n2 \n3\n')).toEqual(['it: 1 lines are lost: 2', 'it: 1 lines are twice or strange: 2 ']);
    expect(of('')).toEqual(['it: 3 lines are lost: 1, 2, 3']);
  });
});

describe('the parts of a job that succeeded', () => {
  it('have every item once, each committed by one attempt', () => {
    expect(partFaults([part(4, 9), part(0, 4), part(0, 1, { kind: 'gather' })], 9)).toEqual([]);
    expect(partFaults([part(0, 4), part(5, 9)], 9)).toEqual(['no part has the items 4 to 4']);
    expect(partFaults([part(0, 5), part(4, 9)], 9)).toEqual(['map:4-9 repeats items from 4 on']);
    expect(partFaults([part(0, 4)], 9)).toEqual(['the parts end at item 4 instead of 9']);
    expect(partFaults([part(0, 9, { state: 'assigned' })], 9)).toEqual([
      'map:0-9 is assigned, although the job succeeded',
    ]);
    expect(partFaults([part(0, 9, { attempts: [committed, committed] })], 9)).toEqual([
      'map:0-9 was committed by 2 attempts',
    ]);
  });

  it('do not flood the report', () => {
    expect(
      partFaults(
        Array.from({ length: 50 }, () => part(0, 2, { state: 'failed' })),
        2,
      ),
    ).toHaveLength(6);
  });
});

describe('a known job', () => {
  it('has the same items in either shape; gather turns them round', () => {
    const [map, steps] = [knownJob('map', 6, 10), knownJob('steps', 6, 10)];
    expect(map.items).toBe(1_200);
    expect(map.expected.split('\n').slice(0, 2)).toEqual(['{"n":0,"square":0}', '{"n":1,"square":1}']);
    expect(steps.expected.trimEnd().split('\n').reverse()).toEqual(map.expected.trimEnd().split('\n'));
    expect(JSON.stringify(map.submission)).not.toContain('gather');
  });
});
