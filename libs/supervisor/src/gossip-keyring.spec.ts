import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeEnvironment } from './cluster-options.js';
import { ensureKeyrings, keyringFile } from './gossip-keyring.js';

describe('keyrings of the nodes of a cluster', () => {
  let home: string;
  beforeEach(() => (home = mkdtempSync(join(tmpdir(), 'das-keyring-'))));
  afterEach(() => rmSync(home, { recursive: true, force: true }));
  const ringOf = (node: string): string[] => JSON.parse(readFileSync(keyringFile(home, node), 'utf8')) as string[];

  it('have one new key of 32 bytes, the same for all, for the owner only', async () => {
    await ensureKeyrings(home, ['a', 'b']);
    expect(ringOf('a')).toEqual(ringOf('b'));
    expect(ringOf('a').map((key) => Buffer.from(key, 'base64').length)).toEqual([32]);
    expect(['a', 'b'].map((node) => statSync(keyringFile(home, node)).mode & 0o777)).toEqual([0o600, 0o600]);
  });

  it('are another in another home', async () => {
    await ensureKeyrings(join(home, 'one'), ['a']);
    await ensureKeyrings(join(home, 'two'), ['a']);
    const [one, two] = ['one', 'two'].map((name) => readFileSync(keyringFile(join(home, name), 'a'), 'utf8'));
    expect(one).not.toBe(two);
  });

  it('stay as they are; a further node gets what the others have', async () => {
    await ensureKeyrings(home, ['a']);
    writeFileSync(keyringFile(home, 'a'), '["rotated"]');
    await ensureKeyrings(home, ['a', 'b', 'c']);
    expect([ringOf('a'), ringOf('b'), ringOf('c')]).toEqual([['rotated'], ['rotated'], ['rotated']]);
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
