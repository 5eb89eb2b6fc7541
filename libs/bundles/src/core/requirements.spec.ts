import { parseRequirements } from './requirements.js';

describe('requirements.txt', () => {
  it('gives names, versions, markers and hashes', () => {
    const hash = `--hash=sha256:${'0a'.repeat(32)}`;
    const text = `# all\nnumpy>=1.26, <3 # fast\r\n\nrequests[socks,use-x] ~=2.0 ; python_version >= "3.9"\nsix==1.16.0 \\\n  ${hash}\nfoo.bar_baz`;
    expect(parseRequirements(text)).toEqual([
      ...['numpy>=1.26, <3', 'requests[socks,use-x] ~=2.0 ; python_version >= "3.9"'],
      ...[`six==1.16.0    ${hash}`, 'foo.bar_baz'],
    ]);
  });

  it.each([
    ...['-r other.txt', '--index-url http://x', '-e .', './local', '/etc/passwd', 'git+https://x/y', 'x @ file:///etc'],
    ...[
      'https://x/y.whl',
      'x --config-settings=a',
      '..',
      'x; y --find-links /',
      '${HOME}',
      'a b/c',
      `x${'1'.repeat(1_000)}`,
    ],
  ])('refuses %s', (line) => {
    expect(() => parseRequirements(line)).toThrow('a line that is not taken');
  });
});
