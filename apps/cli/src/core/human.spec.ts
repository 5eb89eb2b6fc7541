import { duration, grouped, standingLine, table } from './human.js';

it.each([
  [0, '0.0 s'],
  [840, '0.8 s'],
  [9_949, '9.9 s'],
  [9_960, '10 s'],
  [59_400, '59 s'],
  [185_000, '3 min 05 s'],
  [7_620_000, '2 h 07 min'],
])('%d ms are %s', (ms, text) => expect(duration(ms)).toBe(text));

it.each([
  [0, '0'],
  [999, '999'],
  [1_234_567, '1,234,567'],
])('%d is %s', (value, text) => expect(grouped(value)).toBe(text));

it('stands numbers right and text left', () => {
  expect(
    table(
      ['NAME', 'N'],
      [
        ['a', 5],
        ['long', 12],
      ],
    ),
  ).toBe('NAME   N\na      5\nlong  12');
});

describe('the standing of a job', () => {
  const standing = { done: 1200, failed: 0, total: 5000, final: true, running: 8, etaMs: 12_000 };
  it('tells share and ETA', () => expect(standingLine(standing)).toBe('1,200/5,000 items (24 %), 8 running, ETA 12 s'));
  it('tells no share while items are still coming', () => {
    expect(standingLine({ ...standing, final: false, etaMs: undefined })).toBe('1,200/5,000+ items, 8 running');
  });
  it('tells what failed', () => expect(standingLine({ ...standing, failed: 3 })).toContain('3 failed'));
  it('names no items where there are none', () =>
    expect(standingLine({ ...standing, done: 0, total: 0 })).toBe('8 running, ETA 12 s'));
});
