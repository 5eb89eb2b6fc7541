import { chooseEntry } from './entry.js';
import { surplus } from './eviction.js';
import { linkTarget } from './links.js';

describe('the entry of a bundle', () => {
  it.each([
    [['job.py', 'main.py', 'x.py'], undefined, 'main.py'],
    [['__main__.py', 'job.py'], undefined, 'job.py'],
    [['a/main.py', 'only.py'], undefined, 'only.py'],
    [['a/main.py', 'job.py'], 'a/main.py', 'a/main.py'],
  ])('of %j (asked for %j) is %s', (paths, wanted, entry) => {
    expect(chooseEntry(paths, wanted, ['.py'])).toBe(entry);
  });

  it('is asked for when nothing stands out, and named when it is missing', () => {
    expect(() => chooseEntry(['a.py', 'b.py'], undefined, ['.py'])).toThrow('which of a.py, b.py');
    expect(() => chooseEntry(['a.py'], 'b.py', ['.py'])).toThrow('no file "b.py"');
  });
});

describe('a link in a bundle', () => {
  const links = new Map([
    ['a/l', '../b/m'],
    ['b/m', 'x.py'],
    ['out', '../../etc/passwd'],
    ['abs', '/etc/passwd'],
    ['r1', 'r2'],
    ['r2', 'r1'],
  ]);
  it('stands for the file that it leads to at last', () => {
    expect(linkTarget('a/l', links, new Set(['b/x.py']))).toBe('b/x.py');
  });
  it.each(['out', 'abs', 'r1'])('is refused when it leads elsewhere: %s', (path) => {
    expect(() => linkTarget(path, links, new Set(['b/x.py']))).toThrow('the link');
  });
});

describe('what a node has no room for', () => {
  const kept = (digest: string, used: number, inUse = false) => ({ digest, bytes: 10, used, inUse });
  it('goes, used longest ago first', () => {
    expect(surplus([kept('a', 3), kept('b', 1), kept('c', 2)], 15)).toEqual(['b', 'c']);
  });
  it('never goes while it is in use', () => {
    expect(surplus([kept('a', 1, true), kept('b', 2, true), kept('c', 3)], 5)).toEqual(['c']);
  });
});
