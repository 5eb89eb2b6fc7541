import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeEnvironment } from './cluster-options.js';
import { ensureKeyrings, keyringFile } from './gossip-keyring.js';

describe('keyrings of the nodes of a cluster', () => {
  let home: string;
  beforeEach(() => (home = mkdtempSync(join(tmpdir(), 'das-keyring-'))));
  afterEach(() => rmSync(home, { recursive: true, force: true }));
  interface Ring {
    readonly edition: number;
    readonly keys: readonly string[];
  }
  const ringOf = (node: string): Ring => JSON.parse(readFileSync(keyringFile(home, node), 'utf8')) as Ring;
  const key = (seed: number): string => Buffer.alloc(32, seed).toString('base64');
  const keep = (node: string, content: unknown): void =>
    writeFileSync(keyringFile(home, node), typeof content === 'string' ? content : JSON.stringify(content));

  it('have one new key of 32 bytes, the same for all, for the owner only', async () => {
    await ensureKeyrings(home, ['a', 'b']);
    expect(ringOf('a')).toEqual(ringOf('b'));
    expect(ringOf('a').keys.map((one) => Buffer.from(one, 'base64').length)).toEqual([32]);
    // Newer than what is made of a token, which others may have fallen back to.
    expect(ringOf('a').edition).toBe(1);
    expect(readdirSync(join(home, 'gossip')).sort()).toEqual(['a.keyring', 'b.keyring']);
    expect(['a', 'b'].map((node) => statSync(keyringFile(home, node)).mode & 0o777)).toEqual([0o600, 0o600]);
  });

  it('are another in another home', async () => {
    await ensureKeyrings(join(home, 'one'), ['a']);
    await ensureKeyrings(join(home, 'two'), ['a']);
    const [one, two] = ['one', 'two'].map((name) => readFileSync(keyringFile(join(home, name), 'a'), 'utf8'));
    expect(one).not.toBe(two);
  });

  it('stay as they are; a further node gets the newest that others have', async () => {
    await ensureKeyrings(home, ['a']);
    const [listed, old, newest] = [[key(1)], { edition: 2, keys: [key(2)] }, { edition: 5, keys: [key(3)] }];
    for (const [node, ring] of Object.entries({ a: listed, b: old, c: newest })) keep(node, ring);
    await ensureKeyrings(home, ['a', 'b', 'c', 'd']);
    expect(['a', 'b', 'c', 'd'].map(ringOf)).toEqual([listed, old, newest, newest]);
  });

  it.each([
    '',
    '["rotated"]',
    '[]',
    'null',
    '{"edition":1}',
    '{"edition":"1","keys":["AQEBAQEBAQEBAQEBAQEBAQ=="]}',
    '["AQEBAQEBAQEBAQEBAQEBAQ=="',
  ])('are handed on only when they are keyrings, not %j; and are not made anew', async (content) => {
    await ensureKeyrings(home, ['a']);
    keep('a', content);
    await expect(ensureKeyrings(home, ['a', 'b'])).rejects.toThrow(/a\.keyring is no keyring/);
    expect(readFileSync(keyringFile(home, 'a'), 'utf8')).toBe(content);
    expect(() => ringOf('b')).toThrow();
  });

  it('are made where a crash left half of one aside', async () => {
    await ensureKeyrings(home, ['a']);
    writeFileSync(`${keyringFile(home, 'b')}.new`, '["AQ');
    await ensureKeyrings(home, ['a', 'b']);
    expect(ringOf('b')).toEqual(ringOf('a'));
  });

  it('are not made anew when one cannot be read', async () => {
    mkdirSync(keyringFile(home, 'a'), { recursive: true });
    await expect(ensureKeyrings(home, ['a', 'b'])).rejects.toThrow('EISDIR');
    expect(() => ringOf('b')).toThrow();
  });
});

describe('what nodes are told of gossip', () => {
  const told = (env: Record<string, string>, more: object, index = 0) =>
    nodeEnvironment(
      { home: '/h', nodes: ['a'], env, ...more },
      { name: 'a', index, home: '/h', tokenFile: '/h/token' },
      { natsUrl: 'nats://x:1', databaseUrl: 'none' },
    );

  it('is nothing, where the defaults do', () => {
    const names = Object.keys(told({}, {})).filter((name) => name.startsWith('DAS_GOSSIP'));
    expect(names).toEqual([]);
  });

  it('is a port each, in a row, when one is given', () => {
    expect([0, 2].map((index) => told({ DAS_GOSSIP_PORT: '7946' }, {}, index)['DAS_GOSSIP_PORT'])).toEqual([
      '7946',
      '7948',
    ]);
    expect(told({ DAS_GOSSIP_PORT: '0' }, {}, 2)['DAS_GOSSIP_PORT']).toBe('0');
  });

  it('is where to listen, unless the operator says it', () => {
    expect(told({}, { gossipBind: '10.0.0.5' })['DAS_GOSSIP_BIND']).toBe('10.0.0.5');
    expect(told({ DAS_GOSSIP_BIND: '10.0.0.9' }, { gossipBind: '10.0.0.5' })['DAS_GOSSIP_BIND']).toBe('10.0.0.9');
  });
});
