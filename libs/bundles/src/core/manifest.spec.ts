import fc from 'fast-check';
import { type BundleFile, InvalidBundleError, manifestText, parseManifest } from './manifest.js';
import { comparePaths, pathFault, sameButForCase } from './paths.js';

const file = (path: string, more: Partial<BundleFile> = {}): BundleFile => ({
  ...{ path, executable: false, bytes: 1, digest: 'a'.repeat(64) },
  ...more,
});

describe('the manifest of a bundle', () => {
  it('is written in the order of code points, whatever order the files come in', () => {
    const files = ['b/a.py', 'B.py', 'b.py', 'ä.py', '\u{1f600}.py', '\uffee.py'].map((path) => file(path));
    const text = manifestText(files);
    expect(manifestText([...files].reverse())).toBe(text);
    expect(parseManifest(text).map(({ path }) => path)).toEqual([
      ...['B.py', 'b.py', 'b/a.py', 'ä.py', '\uffee.py', '\u{1f600}.py'],
    ]);
  });

  it('orders as bytes of UTF-8 do', () =>
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
        expect(Math.sign(comparePaths(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      }),
    ));

  it.each([
    ['../x', 'leaves'],
    ['a/../../x', 'leaves'],
    ['/etc/passwd', 'absolute'],
    ['C:/x', 'absolute'],
    ['a\\b', 'backslash'],
    ['a//b', 'empty part'],
    ['./a', 'empty part'],
    ['a\nb', 'control'],
    ['', 'empty'],
    ['\ud800', 'Unicode'],
    ['x'.repeat(401), 'longer'],
  ])('refuses the path %j', (path, why) => {
    expect(pathFault(path)).toContain(why);
    expect(() => manifestText([file(path)])).toThrow(InvalidBundleError);
  });

  it('refuses a path twice, a file that is a folder too, no file, too many files and too many bytes', () => {
    expect(() => manifestText([file('a'), file('a')])).toThrow('twice');
    expect(() => manifestText([file('a'), file('a/b'), file('a.x')])).toThrow('"a" is a file and a folder');
    expect(() => manifestText([])).toThrow('no file');
    expect(() => manifestText(Array.from({ length: 10_001 }, (_, n) => file(`f${n}`)))).toThrow('10000 files');
    expect(() => manifestText([file('a', { bytes: 64 * 1024 * 1024 }), file('b')])).toThrow('64 MiB');
  });

  it('is read back only as it would have been written', () => {
    const text = manifestText([file('a'), file('b', { executable: true })]);
    expect(manifestText(parseManifest(text))).toBe(text);
    const [first, a, b] = text.split('\n');
    for (const changed of [
      `${first}\n${b}\n${a}\n`,
      `${text}\n`,
      text.trimEnd(),
      `x${text}`,
      text.replace(' 1 ', ' 01 '),
    ])
      expect(() => parseManifest(changed)).toThrow(InvalidBundleError);
  });

  it('names paths that some file systems take for one', () => {
    expect(sameButForCase(['a.py', 'b.py', 'A.py'])).toEqual([['a.py', 'A.py']]);
  });
});
