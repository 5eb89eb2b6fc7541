import fc from 'fast-check';
import {
  UsageError,
  parseDurationMs,
  parseParams,
  parseParamsFile,
  parseRange,
  parseTolerate,
  parseWhole,
} from './parse.js';

describe('durations', () => {
  it.each([
    ['10s', 10_000],
    ['500ms', 500],
    ['2m', 120_000],
    ['1.5h', 5_400_000],
    ['7', 7_000],
  ])('%s', (text, ms) => expect(parseDurationMs(text, '--timeout')).toBe(ms));
  it.each(['', 's', '-1s', '10 s', '10d', '1e3'])('refuses %p', (text) =>
    expect(() => parseDurationMs(text, '--timeout')).toThrow(UsageError),
  );
});

describe('ranges', () => {
  it('are read as they were written', () =>
    fc.assert(
      fc.property(fc.integer(), fc.nat(), (from, length) => {
        expect(parseRange(`${from}:${from + length}`)).toEqual([from, from + length]);
      }),
    ));
  it.each(['', '1', '1:', ':2', '2:1', 'a:b', '1.5:2', '0:99999999999999999'])('refuses %p', (text) =>
    expect(() => parseRange(text)).toThrow(UsageError),
  );
});

describe('whole numbers', () => {
  it('takes what is large enough', () => expect([parseWhole('0', '-', 0), parseWhole('42', '-', 1)]).toEqual([0, 42]));
  it.each(['-1', '1.5', 'x', '', '1e2'])('refuses %p and names the field', (text) => {
    expect(() => parseWhole(text, '--retries', 0)).toThrow(
      expect.objectContaining({ details: { field: '--retries', expected: 'a whole number of at least 0' } }),
    );
  });
});

describe('tolerance', () => {
  it('is a share or a number', () =>
    expect(['5%', '0.5%', '100%', '12'].map(parseTolerate)).toEqual(['5%', '0.5%', '100%', 12]));
  it.each(['101%', '-1', '5 %', 'some'])('refuses %p', (text) => expect(() => parseTolerate(text)).toThrow(UsageError));
});

describe('parameters', () => {
  it('are JSON where they read as such, else text', () => {
    const pairs = ['n=5', 'url=http://x?a=b', 'list=[1,2]', 'id=007', 'empty=', 'flag=true', 'quoted="5"'];
    expect(parseParams(pairs)).toEqual({
      n: 5,
      url: 'http://x?a=b',
      list: [1, 2],
      id: '007',
      empty: '',
      flag: true,
      quoted: '5',
    });
  });
  it('go over those of the file', () => expect(parseParams(['a=2'], { a: 1, b: 1 })).toEqual({ a: 2, b: 1 }));
  it.each(['x', '=1', ''])('refuses %p', (pair) => expect(() => parseParams([pair])).toThrow(UsageError));
  it('come from a file that is one object', () => expect(parseParamsFile('{"a":1}', 'p.json')).toEqual({ a: 1 }));
  it.each(['[1]', 'null', '5', 'not json'])('refuses a file with %p', (text) =>
    expect(() => parseParamsFile(text, 'p.json')).toThrow(UsageError),
  );
});
