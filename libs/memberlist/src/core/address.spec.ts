import { formatAddress, formatIp, isAllowed, parseCidr, parseIp, unmapped } from './address.js';
import { decodeText, encodeText } from './codec/utf8.js';
import { configProblems, lanConfig } from './config.js';
import { parseJoinAddress } from './join-address.js';
import { seededRng } from './random.js';
import { type Versioned, isNonsense, versionProblem } from './versions.js';

describe('addresses', () => {
  it('are read and shown', () => {
    for (const text of ['127.0.0.1', '1:2:3:4:5:6:7:8'])
      expect(formatIp(parseIp(text) ?? new Uint8Array(0))).toBe(text);
    expect(parseIp('::ffff:10.0.0.1')).toHaveLength(16);
    expect(formatIp(parseIp('::ffff:10.0.0.1') ?? new Uint8Array(0))).toBe('10.0.0.1');
    expect(unmapped(parseIp('::ffff:10.0.0.1') ?? new Uint8Array(0))).toEqual(Uint8Array.of(10, 0, 0, 1));
    expect(formatAddress({ addr: parseIp('::1') ?? new Uint8Array(0), port: 80 })).toBe('[0:0:0:0:0:0:0:1]:80');
    for (const text of [
      '',
      '1.2.3',
      '1.2.3.256',
      '01.2.3.4',
      ':::',
      '1::2::3',
      '1:2:3:4:5:6:7:8:9',
      'g::1',
      '1:2:3:4:5:6:7::8',
    ]) {
      expect(parseIp(text)).toBeUndefined();
    }
  });

  it('are allowed by networks', () => {
    const networks = ['127.0.0.0/8', '10.1.2.0/23', 'fd00::/7']
      .map((text) => parseCidr(text))
      .filter((cidr) => cidr !== undefined);
    const allowed = (ip: string): boolean => isAllowed(parseIp(ip) ?? new Uint8Array(0), networks);
    expect(['127.9.9.9', '10.1.3.255', '::ffff:10.1.2.1', 'fc00::1'].map(allowed)).toEqual([true, true, true, true]);
    expect(['128.0.0.1', '10.1.4.0', '10.1.1.0', '::1'].map(allowed)).toEqual([false, false, false, false]);
    expect(isAllowed(Uint8Array.of(9, 9, 9, 9), [])).toBe(true);
    for (const text of ['10.0.0.0', '10.0.0.0/33', 'x/8', '10.0.0.0/8/8']) expect(parseCidr(text)).toBeUndefined();
  });

  it.each([
    ['10.0.0.1', '', '10.0.0.1', 7946],
    ['10.0.0.1:80', '', '10.0.0.1', 80],
    ['name/host.example:80', 'name', 'host.example', 80],
    ['::1', '', '::1', 7946],
    ['[::1]', '', '::1', 7946],
    ['[::1]:80', '', '::1', 80],
    ['name/[fd00::1]:80', 'name', 'fd00::1', 80],
  ])('to join: %s', (text, name, host, port) => {
    expect(parseJoinAddress(text, 7946)).toEqual({ ok: true, value: { name, host, port } });
  });

  it.each(['/host', '', 'name/', 'host:0', 'host:65536', 'host:x', '[::1', ':80'])('to join: %j is refused', (text) => {
    expect(parseJoinAddress(text, 7946).ok).toBe(false);
  });
});

describe('names', () => {
  it('survive as bytes, valid UTF-8 or not', () => {
    const samples = [
      [0x61],
      [0xc3, 0xa9],
      [0xe2, 0x82, 0xac],
      [0xf0, 0x9f, 0x98, 0x80],
      [0xff, 0x61, 0x80],
      [0xed, 0xa0, 0x80],
      [0xc0, 0xaf],
      [0xf5, 0x80],
      [0xe2, 0x82],
    ];
    for (const sample of samples) expect([...encodeText(decodeText(Uint8Array.from(sample)))]).toEqual(sample);
    expect(decodeText(encodeText('naïve €😀'))).toBe('naïve €😀');
    const rng = seededRng(7);
    for (let i = 0; i < 2_000; i++) {
      const bytes = Array.from({ length: 6 }, () => Math.floor(rng() * 256));
      expect([...encodeText(decodeText(Uint8Array.from(bytes)))]).toEqual(bytes);
    }
  });
});

describe('versions', () => {
  const node = (name: string, min: number, max: number, cur: number, alive = true): Versioned => ({
    name,
    vsn: Uint8Array.of(min, max, cur, min, max, cur),
    alive,
  });
  it('merge when everyone understands what everyone speaks', () => {
    expect(versionProblem([node('a', 0, 255, 0)], [node('b', 1, 5, 2)])).toMatch(
      /Node 'a' protocol version \(0\) is incompatible: \[1, 5\]/,
    );
    expect(versionProblem([node('a', 1, 5, 2)], [node('b', 1, 5, 3)])).toBeUndefined();
    expect(versionProblem([node('a', 1, 3, 2)], [node('b', 1, 5, 4)])).toMatch(/Node 'b'/);
    expect(versionProblem([node('a', 1, 3, 2, false)], [node('b', 1, 5, 4)])).toBeUndefined();
    expect(versionProblem([{ name: 'a', vsn: new Uint8Array(0), alive: true }], [node('b', 1, 5, 2)])).toMatch(
      /Node 'a'/,
    );
  });

  it.each([
    ['a current version below what others understand', [1, 5, 0], [1, 5, 2], 'a'],
    ['a current version above what others understand', [1, 5, 5], [1, 4, 2], 'a'],
    ['a range that leaves the other out', [3, 5, 4], [1, 5, 2], 'b'],
    ['ranges that do not meet', [1, 2, 1], [3, 5, 3], 'a'],
    ['ranges that meet in what both speak', [1, 3, 2], [2, 5, 2], undefined],
  ] as const)('of protocol and delegates alike, on both sides: %s', (_, mine, theirs, refused) => {
    const common = [1, 5, 2] as const;
    for (const part of ['protocol', 'delegate protocol'] as const) {
      const vsnOf = (own: readonly number[]): Uint8Array =>
        Uint8Array.from(part === 'protocol' ? [...own, ...common] : [...common, ...own]);
      const a = { name: 'a', vsn: vsnOf(mine), alive: true };
      const b = { name: 'b', vsn: vsnOf(theirs), alive: true };
      const problems = [versionProblem([a], [b]), versionProblem([b], [a])];
      if (refused === undefined) expect(problems).toEqual([undefined, undefined]);
      else for (const problem of problems) expect(problem).toMatch(new RegExp(`^Node '[ab]' ${part} version`));
      if (refused === 'b') expect(problems[0]).toContain("Node 'b'");
    }
  });

  it('tell when the delegates do not fit', () => {
    const a = { name: 'a', vsn: Uint8Array.of(1, 5, 2, 2, 5, 5), alive: true };
    const b = { name: 'b', vsn: Uint8Array.of(1, 5, 2, 0, 0, 0), alive: true };
    expect(versionProblem([a], [b])).toMatch(/Node 'a' delegate protocol version \(5\) is incompatible/);
  });

  it('are nonsense with a zero or a reversed range', () => {
    expect(
      [[0, 5, 2], [1, 0, 2], [3, 2, 2], [1, 5, 2], [1, 5], []].map((vsn) => isNonsense(Uint8Array.from(vsn))),
    ).toEqual([true, true, true, false, false, false]);
  });
});

describe('a configuration', () => {
  it('is refused with every problem named', () => {
    expect(configProblems({ ...lanConfig, name: 'a' })).toEqual([]);
    for (const protocolVersion of [1, 5])
      expect(configProblems({ ...lanConfig, name: 'a', protocolVersion })).toEqual([]);
    expect(
      configProblems({ ...lanConfig, name: '', protocolVersion: 6, cidrsAllowed: ['x'], probeIntervalMs: Number.NaN }),
    ).toHaveLength(4);
  });
});
