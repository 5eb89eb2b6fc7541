import type { Assignment } from '@das/contracts';
import type { JobId, PartId } from '@das/kernel';
import { type Attempt, attemptKey } from './attempt.js';
import {
  type ExecutorEvent,
  type ExecutorState,
  attemptsMax,
  countIn,
  endedMax,
  newExecutor,
  step,
} from './executor.js';

const job = (name: string): JobId => name as JobId;
function map(from: number, more: Partial<Assignment> = {}): Assignment {
  const part = `map:${from}-${from + 1}` as PartId;
  return { job: job('j'), generation: 1, part, attempt: 1, kind: 'map', from, to: from + 1, tries: 0, ...more };
}
const key = (assignment: Assignment): string => attemptKey(assignment);
const assign = (...assignments: Assignment[]): ExecutorEvent => ({ kind: 'assigned', term: 1, assignments });

/** Feeds events in; collects what was to be done, as text. */
function run(
  start: ExecutorState,
  ...events: ExecutorEvent[]
): { state: ExecutorState; did: string[]; verdict: string } {
  let state = start;
  let verdict = '';
  const did: string[] = [];
  for (const event of events) {
    const next = step(state, event);
    ({ state, verdict } = next);
    expect(countIn(state, 'running')).toBeLessThanOrEqual(state.slots);
    for (const effect of next.effects) {
      if ('attempt' in effect)
        did.push(`${effect.kind} ${effect.attempt.assignment.job} ${effect.attempt.assignment.from}`);
      else did.push(effect.kind === 'keepTerm' ? `keepTerm ${effect.term}` : `repeatEnd ${effect.key}`);
    }
  }
  return { state, did, verdict };
}
const phases = (state: ExecutorState): string[] =>
  [...state.attempts.values()].map((attempt: Attempt) => `${attempt.assignment.from} ${attempt.state}`);

describe('the executor', () => {
  const fresh = newExecutor(2, 1);

  it('starts as many attempts as it has slots, first come first served', () => {
    const { state, did } = run(fresh, assign(map(0), map(1), map(2)));
    expect(did).toEqual(['prepare j 0', 'prepare j 1', 'prepare j 2', 'start j 0', 'start j 1']);
    expect(phases(state)).toEqual(['0 running', '1 running', '2 queued']);
  });

  it('starts the next one while the store still judges the one before', () => {
    const { state, did } = run(fresh, assign(map(0), map(1), map(2)), { kind: 'ran', key: key(map(0)) });
    expect(did.at(-1)).toBe('start j 2');
    expect(phases(state)).toEqual(['0 holding', '1 running', '2 running']);
  });

  it('forgets an attempt that the store has judged', () => {
    const { state } = run(
      fresh,
      assign(map(0)),
      { kind: 'ran', key: key(map(0)) },
      { kind: 'settled', key: key(map(0)) },
    );
    expect(phases(state)).toEqual([]);
  });

  it('takes an attempt that it knows once more without starting it twice', () => {
    const { did, verdict } = run(fresh, assign(map(0)), assign(map(0)));
    expect(did).toEqual(['prepare j 0', 'start j 0']);
    expect(verdict).toBe('accepted');
  });

  it('tells the end again when an ended attempt is assigned again', () => {
    const over: ExecutorEvent[] = [
      { kind: 'ran', key: key(map(0)) },
      { kind: 'settled', key: key(map(0)) },
    ];
    const { did } = run(fresh, assign(map(0)), ...over, assign(map(0)));
    expect(did.at(-1)).toBe(`repeatEnd ${key(map(0))}`);
  });

  it('remembers a bounded number of ended attempts', () => {
    const events = Array.from({ length: endedMax + 1 }, (_, n): ExecutorEvent[] => [
      assign(map(n)),
      { kind: 'givenBack', key: key(map(n)) },
    ]);
    const { state } = run(fresh, ...events.flat());
    expect(state.ended.length).toBe(endedMax);
    expect(state.ended[0]).toBe(key(map(1)));
  });

  it('refuses lower terms than the highest it saw, and keeps higher ones before it acts', () => {
    const higher = step(fresh, { kind: 'assigned', term: 5, assignments: [map(0)] });
    expect(higher.effects[0]).toEqual({ kind: 'keepTerm', term: 5 });
    const lower = step(higher.state, { kind: 'assigned', term: 4, assignments: [map(1)] });
    expect([lower.verdict, lower.state, lower.effects]).toEqual(['staleTerm', higher.state, []]);
    expect(step(higher.state, { kind: 'dropped', term: 4, attempts: [map(0)] }).verdict).toBe('staleTerm');
  });

  it('follows a store whose terms start again', () => {
    const read = (term: number, highestTerm: number): ExecutorEvent => ({ kind: 'termRead', term, highestTerm });
    const { state, did } = run(newExecutor(1, 9), read(2, 9), read(7, 2));
    expect([state.highestTerm, did]).toEqual([2, ['keepTerm 2']]);
  });

  it('keeps its fence when a higher act came while the store was asked', () => {
    const { state, did } = run(
      newExecutor(1, 5),
      { kind: 'assigned', term: 8, assignments: [] },
      { kind: 'termRead', term: 2, highestTerm: 5 },
    );
    expect([state.highestTerm, did]).toEqual([8, ['keepTerm 8']]);
  });

  it('stops attempts that a leader drops, and fills their slots', () => {
    const { did } = run(fresh, assign(map(0), map(1), map(2)), { kind: 'dropped', term: 1, attempts: [map(0)] });
    expect(did.slice(-2)).toEqual(['stop j 0', 'start j 2']);
  });

  it('stops what an ended job runs, holds and has waiting, and nothing else', () => {
    const other = map(7, { job: job('k') });
    const events = [assign(map(0), map(1), map(2), other), { kind: 'ran', key: key(map(0)) } as const];
    const { state, did } = run(fresh, ...events, { kind: 'jobEnded', job: job('j') });
    expect(did.slice(-4)).toEqual(['stop j 0', 'stop j 1', 'stop j 2', 'start k 7']);
    expect(phases(state)).toEqual(['7 running']);
  });

  it('waits for the answer to what it holds of a job that succeeded: that commit may have ended it', () => {
    const events = [assign(map(0), map(1)), { kind: 'ran', key: key(map(0)) } as const];
    const { state, did } = run(fresh, ...events, { kind: 'jobEnded', job: job('j'), succeeded: true });
    expect([phases(state), did.at(-1)]).toEqual([['0 holding'], 'stop j 1']);
  });

  it('stops only earlier generations of a job that started again', () => {
    const again = map(0, { generation: 2 });
    const { state } = run(fresh, assign(map(0), again), { kind: 'jobEnded', job: job('j'), belowGeneration: 2 });
    expect([...state.attempts.keys()]).toEqual([key(again)]);
  });

  it('starts nothing new while too much output waits for the store', () => {
    const full = run(fresh, { kind: 'heldOutput', full: true }, assign(map(0)));
    expect(phases(full.state)).toEqual(['0 queued']);
    expect(run(full.state, { kind: 'heldOutput', full: false }).did).toEqual(['start j 0']);
  });

  it('gives back what waits when it drains, lets what runs end, and takes nothing new', () => {
    const { state, did } = run(newExecutor(1, 1), assign(map(0), map(1)), { kind: 'draining' });
    expect(did.at(-1)).toBe('refuse j 1');
    expect(phases(state)).toEqual(['0 running']);
    expect(run(state, assign(map(2)))).toMatchObject({ verdict: 'draining', did: [] });
    expect(run(state, { kind: 'ran', key: key(map(0)) }).did).toEqual([]);
  });

  it('holds what an earlier life left on disk: it takes no slot, is not run again, and ends as any other', () => {
    const held: ExecutorEvent = { kind: 'restored', assignments: [map(0), map(1)] };
    const { state, did } = run(newExecutor(1, 1), held, assign(map(0), map(2)));
    expect([phases(state), did]).toEqual([
      ['0 holding', '1 holding', '2 running'],
      ['prepare j 2', 'start j 2'],
    ]);
    const over = run(state, { kind: 'settled', key: key(map(0)) }, { kind: 'dropped', term: 1, attempts: [map(1)] });
    expect([phases(over.state), over.did]).toEqual([['2 running'], ['stop j 1']]);
  });

  it('takes no more than it can keep in mind', () => {
    const many = Array.from({ length: attemptsMax }, (_, n) => map(n));
    const { state } = run(fresh, assign(...many));
    expect(step(state, assign(map(attemptsMax))).verdict).toBe('draining');
  });

  it('ignores a late word about an attempt that was stopped', () => {
    const stopped = run(fresh, assign(map(0)), { kind: 'dropped', term: 1, attempts: [map(0)] });
    const late: ExecutorEvent[] = [
      { kind: 'ran', key: key(map(0)) },
      { kind: 'settled', key: key(map(0)) },
      { kind: 'givenBack', key: key(map(0)) },
    ];
    expect(run(stopped.state, ...late)).toMatchObject({ did: [], state: stopped.state });
  });

  it('takes an impossible move for a defect', () => {
    const { state } = run(newExecutor(1, 1), assign(map(0), map(1)));
    expect(() => step(state, { kind: 'ran', key: key(map(1)) })).toThrow('no transition from queued to holding');
    expect(() => step(state, { kind: 'other' } as never)).toThrow('unexpected kind');
  });
});
