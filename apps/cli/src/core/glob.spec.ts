import { globBase, globPattern, hasWildcard } from './glob.js';
import { formatOf, parseFormat } from './formats.js';
import { UsageError } from './parse.js';

it.each([
  ['a/*.txt', 'a/b.txt', true],
  ['a/*.txt', 'a/b/c.txt', false],
  ['a/**/*.txt', 'a/c.txt', true],
  ['a/**/*.txt', 'a/b/c.txt', true],
  ['a/**', 'a/b/c', true],
  ['a/?.txt', 'a/b.txt', true],
  ['a/?.txt', 'a/bc.txt', false],
  ['a/[ab].txt', 'a/b.txt', true],
  ['a/[!ab].txt', 'a/b.txt', false],
  ['a/[!ab].txt', 'a/c.txt', true],
  ['a/(b)+.txt', 'a/(b)+.txt', true],
  ['a.txt', 'abtxt', false],
])('%s and %s: %s', (pattern, path, matches) => expect(globPattern(pattern).test(path)).toBe(matches));

it.each([
  ['a/b/*.txt', 'a/b'],
  ['*.txt', ''],
  ['/*.txt', '/'],
  ['/data/**/x', '/data'],
])('a search for %s begins in %p', (pattern, base) => expect(globBase(pattern)).toBe(base));

it('knows a wildcard', () => expect(['a*', 'a?', 'a[b]', 'a.b'].map(hasWildcard)).toEqual([true, true, true, false]));

describe('the format of an input', () => {
  it.each([
    ['x.ndjson', 'file', 'ndjson'],
    ['x.JSONL', 'file', 'ndjson'],
    ['x.txt', 'file', 'lines'],
    ['x', 'file', 'lines'],
    ['-', 'stdin', 'ndjson'],
    ['dir', 'folder', 'files'],
    ['*.txt', 'glob', 'files'],
  ] as const)('of %s (%s) is %s', (path, found, format) => expect(formatOf(path, found, undefined)).toBe(format));
  it('is the one that was asked for', () => expect(formatOf('x.txt', 'file', 'files')).toBe('files'));
  it('cannot be one line per item of a folder, or files of a stream', () => {
    expect(() => formatOf('dir', 'folder', 'lines')).toThrow(UsageError);
    expect(() => formatOf('-', 'stdin', 'files')).toThrow(UsageError);
  });
  it('says so when there is nothing', () => expect(() => formatOf('x', 'nothing', undefined)).toThrow(/there is no x/));
  it('is one of those we know', () => {
    expect([parseFormat(undefined), parseFormat('lines')]).toEqual([undefined, 'lines']);
    expect(() => parseFormat('csv')).toThrow(UsageError);
  });
});
