import { limits } from '@das/contracts';
import fc from 'fast-check';
import { type FilledRow, MapRows, PairRows, StepRows, rowBytes } from './rows.js';

const bytes = (length: number, fill = 1): Uint8Array => new Uint8Array(length).fill(fill);
const shown = ({ row }: FilledRow): string =>
  `${row.kind} ${row.bucket} [${row.from},${row.to}) ${row.seq}: ${row.bytes}`;
const joined = (rows: readonly FilledRow[]): number[] => rows.flatMap(({ chunks }) => chunks.flatMap((c) => [...c]));

describe('rows of a map', () => {
  it('hold whole items up to their size', () => {
    const rows = new MapRows(10);
    rows.add(2, bytes(100));
    rows.add(3, bytes(rowBytes - 100));
    expect(rows.take()).toEqual([]);
    rows.add(1, bytes(1));
    expect(rows.take().map(shown)).toEqual([`map 0 [10,15) 0: ${rowBytes}`]);
    expect(rows.finish().map(shown)).toEqual(['map 0 [15,16) 0: 1']);
  });

  it('never span a failed item', () => {
    const rows = new MapRows(0);
    rows.skip();
    rows.add(2, bytes(5));
    rows.skip();
    rows.add(1, bytes(6));
    expect(rows.finish().map(shown)).toEqual(['map 0 [1,3) 0: 5', 'map 0 [4,5) 0: 6']);
  });

  it('give a result that is larger than a page several rows of its own', () => {
    const rows = new MapRows(0);
    rows.add(1, bytes(3));
    rows.add(1, bytes(2 * limits.pageBytesMax + 1));
    rows.add(1, bytes(4));
    const page = limits.pageBytesMax;
    expect(rows.finish().map(shown)).toEqual([
      'map 0 [0,1) 0: 3',
      `map 0 [1,2) 0: ${page}`,
      `map 0 [1,2) 1: ${page}`,
      'map 0 [1,2) 2: 1',
      'map 0 [2,3) 0: 4',
    ]);
  });

  it('keep all bytes, in order, in rows that touch and fit a page', () => {
    const story = fc.array(fc.oneof(fc.constant('fail' as const), fc.integer({ min: 1, max: 3 * rowBytes })), {
      maxLength: 12,
    });
    fc.assert(
      fc.property(story, (events) => {
        const rows = new MapRows(0);
        let total = 0;
        for (const event of events) {
          if (event === 'fail') rows.skip();
          else rows.add(1, bytes(event));
          total += event === 'fail' ? 0 : event;
        }
        const filled = rows.finish();
        expect(filled.reduce((sum, { row }) => sum + row.bytes, 0)).toBe(total);
        expect(filled.every(({ row }) => row.bytes <= limits.pageBytesMax && row.from < row.to)).toBe(true);
        const covered = new Set(
          filled.flatMap(({ row }) => Array.from({ length: row.to - row.from }, (_, n) => row.from + n)),
        );
        expect([...covered]).toEqual(events.flatMap((event, item) => (event === 'fail' ? [] : [item])));
      }),
      { numRuns: 40 },
    );
  });
});

describe('rows of pairs', () => {
  it('are one per bucket for a run of items', () => {
    const rows = new PairRows(0);
    rows.add(2, [
      { bucket: 3, lines: bytes(2, 7) },
      { bucket: 1, lines: bytes(1, 8) },
    ]);
    rows.add(1, [{ bucket: 3, lines: bytes(1, 9) }]);
    rows.skip();
    rows.add(1, [{ bucket: 1, lines: bytes(4) }]);
    const filled = rows.finish();
    expect(filled.map(shown)).toEqual(['shuffle 1 [0,3) 0: 1', 'shuffle 3 [0,3) 0: 3', 'shuffle 1 [4,5) 0: 4']);
    expect(joined(filled.slice(1, 2))).toEqual([7, 7, 9]);
  });

  it('are complete when they are large', () => {
    const rows = new PairRows(0);
    rows.add(1, [{ bucket: 0, lines: bytes(rowBytes) }]);
    expect(rows.take().map(shown)).toEqual([`shuffle 0 [0,1) 0: ${rowBytes}`]);
  });
});

describe('rows of a step', () => {
  it('are numbered', () => {
    const rows = new StepRows('reduce', 4);
    rows.add(bytes(rowBytes));
    rows.add(bytes(10));
    rows.add(bytes(limits.pageBytesMax + 1));
    expect(rows.take().map(shown)).toEqual([`reduce 0 [4,5) 0: ${rowBytes}`, 'reduce 0 [4,5) 1: 10']);
    expect(rows.finish().map(shown)).toEqual([`reduce 0 [4,5) 2: ${limits.pageBytesMax}`, 'reduce 0 [4,5) 3: 1']);
    expect(rows.finish()).toEqual([]);
  });
});
