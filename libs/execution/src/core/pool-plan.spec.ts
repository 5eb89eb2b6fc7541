import {
  boundIdleMs,
  expectedMs,
  freshWanted,
  pickWorker,
  standby,
  surplusFresh,
  surplusWorkers,
} from './pool-plan.js';

const idle = (id: string, binding: string | undefined, idleSinceMs: number) => ({ id, binding, idleSinceMs });

describe('the worker pool', () => {
  const workers = [idle('f1', undefined, 0), idle('a1', 'a', 1), idle('a2', 'a', 5), idle('b1', 'b', 9)];

  it('takes the worker that the job used last', () => expect(pickWorker(workers, 'a')).toBe('a2'));
  it('takes a fresh one for a new job, never one of another job', () => {
    expect(pickWorker(workers, 'c')).toBe('f1');
    expect(pickWorker(workers.slice(1), 'c')).toBeUndefined();
  });
  it('ends bound workers beyond one per slot, longest unused first', () => {
    expect(surplusWorkers(workers, 2, 10)).toEqual(['a1']);
  });
  it('ends bound workers that nobody used for long, and never fresh ones', () => {
    expect(surplusWorkers(workers, 8, 5 + boundIdleMs)).toEqual(['a2', 'a1']);
    expect(surplusWorkers([idle('f1', undefined, 0)], 1, 1e9)).toEqual([]);
  });
  it('keeps one fresh worker per slot while jobs are expected, and few when none came for a while', () => {
    expect([
      standby(4, 1, undefined),
      standby(4, 1, 0),
      standby(4, 1, expectedMs - 1),
      standby(4, 1, expectedMs),
    ]).toEqual([1, 4, 4, 1]);
    expect([standby(4, 4, undefined), standby(1, 2, undefined)]).toEqual([4, 1]);
  });
  it('ends fresh workers that are too many, and no bound ones', () => {
    const fresh = [...workers, idle('f2', undefined, 3)];
    expect([surplusFresh(fresh, 1), surplusFresh(fresh, 2), surplusFresh(fresh, 9)]).toEqual([['f2'], [], []]);
  });
  it('starts as many fresh workers as are missing', () => {
    expect(freshWanted(4, 1, 1)).toBe(2);
    expect(freshWanted(1, 2, 0)).toBe(0);
  });
});
