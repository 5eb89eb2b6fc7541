import { type Failure, type Range, limits } from '@das/contracts';
import fc from 'fast-check';
import { type ItemFailure, type PartOutcome, crashOutcome, itemsDone, partOutcome } from './outcome.js';

const reason: Failure = { code: 'ITEM_CRASHED', message: 'gone' };
const failed = (item: number): ItemFailure => ({ code: 'ITEM_RAISED', message: 'no', item });

/** Every item of the range, with what became of it. */
function fates({ done, failures, unfinished }: PartOutcome): Array<[item: number, fate: string]> {
  const each = (ranges: readonly Range[], fate: string): Array<[number, string]> =>
    ranges.flatMap(({ from, to }) => Array.from({ length: to - from }, (_, n): [number, string] => [from + n, fate]));
  return [
    ...each(done, 'done'),
    ...failures.map(({ item }): [number, string] => [item, 'failed']),
    ...each(unfinished, 'unfinished'),
  ].sort(([a], [b]) => a - b);
}

/** A part, how far it got, and which of the items before failed. */
const story = fc
  .record({ from: fc.nat(1000), length: fc.integer({ min: 1, max: 200 }) })
  .chain(({ from, length }) =>
    fc.record({
      range: fc.constant({ from, to: from + length }),
      received: fc.integer({ min: from, max: from + length }),
      current: fc.option(fc.integer({ min: from - 3, max: from + length + 3 }), { nil: undefined }),
      picks: fc.uniqueArray(fc.nat(length), { maxLength: limits.failuresPerCommitMax }),
    }),
  )
  .map(({ picks, ...rest }) => ({
    ...rest,
    failures: picks
      .map((pick) => rest.range.from + pick)
      .filter((item) => item < rest.received)
      .sort((a, b) => a - b)
      .map(failed),
  }));

describe('the outcome of a part', () => {
  it('partitions the part, whatever was received, failed and crashed', () => {
    fc.assert(
      fc.property(story, fc.boolean(), ({ range, received, current, failures }, crash) => {
        const outcome = crash
          ? crashOutcome(range, received, current, reason, failures)
          : partOutcome(range, received, failures);
        const items = Array.from({ length: range.to - range.from }, (_, n) => range.from + n);
        expect(fates(outcome).map(([item]) => item)).toEqual(items);
        const all = [...outcome.done, ...outcome.unfinished];
        expect(all.every(({ from, to }) => from < to)).toBe(true);
        expect(outcome.failures.length).toBeLessThanOrEqual(limits.failuresPerCommitMax);
      }),
    );
  });

  it('keeps what was received and blames one open item for a crash', () => {
    fc.assert(
      fc.property(story, ({ range, received, current, failures }) => {
        const outcome = crashOutcome(range, received, current, reason, failures);
        expect(itemsDone(outcome)).toBe(received - range.from - failures.length);
        const suspects = outcome.failures.length - failures.length;
        const full = failures.length === limits.failuresPerCommitMax;
        expect(suspects).toBe(received < range.to && !full ? 1 : 0);
      }),
    );
  });

  it('blames the item that the worker was at, and only that', () => {
    const outcome = crashOutcome({ from: 10, to: 20 }, 12, 15, reason, [failed(11)]);
    expect(outcome).toEqual({
      done: [{ from: 10, to: 11 }],
      failures: [failed(11), { ...reason, item: 15 }],
      unfinished: [
        { from: 12, to: 15 },
        { from: 16, to: 20 },
      ],
    });
  });

  it.each([undefined, 3, 12, 20])('blames the first open item when the worker says %p', (current) => {
    const { failures } = crashOutcome({ from: 10, to: 20 }, 13, current, reason);
    expect(failures).toEqual([{ ...reason, item: 13 }]);
  });

  it('blames nobody when all results had arrived', () => {
    expect(crashOutcome({ from: 0, to: 2 }, 2, 2, reason)).toEqual(partOutcome({ from: 0, to: 2 }, 2));
  });
});
