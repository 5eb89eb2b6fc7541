import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { nodeId } from '@das/kernel';
import { ConfigError, StartError } from '@das/platform';
import { FakeClock } from '@das/testing';
import { fingerprintOf } from './key-text.js';
import { GossipWorld, someKey } from './testing/gossip-world.js';

/** Where keys come from, how they are kept, and how they are changed. */
describe('the keys of gossip', () => {
  const [a, b, c] = [nodeId('node-a'), nodeId('node-b'), nodeId('node-c')];
  const [first, second] = [someKey(1), someKey(2)];
  let world: GossipWorld;

  beforeEach(async () => {
    world = await new GossipWorld(new FakeClock()).begin();
  });
  afterEach(() => world.end());

  const startWith = async (node: typeof a, keys: readonly string[]): Promise<void> => {
    await world.start(node, { DAS_GOSSIP_KEYRING_FILE: await world.keyring(`${node}.keyring`, keys) });
  };
  const kept = async (file: string): Promise<unknown> => JSON.parse(await readFile(file, 'utf8')) as unknown;
  const meet = (one: typeof a, other: typeof a, withinMs = 3_000) =>
    world.until(async () => (await world.states(one))[other] === 'alive', withinMs);

  it('are made of the cluster token by nodes that start side by side, and kept for the owner only', async () => {
    await Promise.all([world.start(a), world.start(b)]);
    await meet(a, b);
    const file = join(world.home(a), 'gossip', `${a}.keyring`);
    expect(await kept(file)).toEqual(await kept(join(world.home(b), 'gossip', `${b}.keyring`)));
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await world.stats(a)).encrypted).toBe(true);
  });

  it('are asked of the cluster by a node that has none, before its gossip begins', async () => {
    await startWith(a, [second, first]);
    await world.start(b);
    await meet(a, b);
    expect(await kept(join(world.home(b), 'gossip', `${b}.keyring`))).toEqual({
      edition: 0,
      keys: [second, first],
    });
    expect(world.lines.filter((line) => line.includes('does not have'))).toEqual([]);
  });

  it('stay as they are in a keyring file that exists', async () => {
    const home = join(world.home(a), 'gossip');
    await mkdir(home, { recursive: true });
    await writeFile(join(home, `${a}.keyring`), JSON.stringify([first]), { mode: 0o600 });
    await world.start(a);
    expect((await world.keys(a, 'list')).keys).toEqual([
      { fingerprint: fingerprintOf(first), bytes: 32, primary: true },
    ]);
  });

  it('are missing without a token: said on this machine, refused beyond it', async () => {
    await world.start(a, { DAS_NATS_TOKEN: '' });
    expect(world.lines).toContainEqual(expect.stringContaining('gossip is not encrypted'));
    expect((await world.stats(a)).notes['plaintext']).toBe(1);
    const refusal = world.start(b, { DAS_NATS_TOKEN: '', DAS_GOSSIP_BIND: '10.0.0.1', DAS_GOSSIP_LABEL: 'b' });
    await expect(refusal).rejects.toBeInstanceOf(StartError);
  });

  it.each([
    ['127.0.0.1', undefined],
    ['::1', undefined],
    ['here', undefined],
    ['10.0.0.1', 1],
    ['0.0.0.0', 1],
    ['127.looks.local', 1],
    ['localhost', 1],
  ])('switched off on %s are noted where others can reach it', async (bind, noted) => {
    world.hosts.set('here', '127.0.0.7').set('127.looks.local', '10.0.0.1').set('localhost', '10.0.0.1');
    await world.start(c, { DAS_GOSSIP_ENCRYPTION: 'off', DAS_GOSSIP_BIND: bind });
    const { encrypted, notes } = await world.stats(c);
    expect([encrypted, notes['plaintext']]).toEqual([false, noted]);
  });

  it.each([
    ['others may read it', 0o644, JSON.stringify([first]), 'may be read by others (mode 644)'],
    ['it is not JSON', 0o600, 'secret', 'is not JSON'],
    ['it holds no key', 0o600, '[]', 'does not fit'],
    [
      'a key has another size',
      0o600,
      JSON.stringify([first, 'c2hvcnQ=']),
      'key 2: expected base64 of 16, 24 or 32 bytes',
    ],
    ['it has no edition', 0o600, JSON.stringify({ keys: [first] }), 'does not fit'],
    ['it is huge', 0o600, ' '.repeat(20_000), 'is larger than'],
  ])('are refused when %s, without telling them', async (_why, mode, content, words) => {
    const file = world.file('keys');
    await writeFile(file, content);
    await chmod(file, mode);
    const refusal: unknown = await world.start(a, { DAS_GOSSIP_KEYRING_FILE: file }).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(ConfigError);
    expect((refusal as Error).message).toContain(words);
    expect((refusal as Error).message).not.toMatch(/secret|AQEBAQ/);
  });

  it('must exist when they are named', async () => {
    const refusal = world.start(a, { DAS_GOSSIP_KEYRING_FILE: world.file('nowhere') });
    await expect(refusal).rejects.toThrow(/keyring file .*nowhere does not exist/);
  });

  it('are changed step by step while the cluster goes on, in use and on disk', async () => {
    await startWith(a, [first]);
    await startWith(b, [first]);
    await meet(a, b);
    for (const action of ['install', 'use', 'remove'] as const) {
      for (const node of [a, b]) {
        expect((await world.keys(node, action, action === 'remove' ? first : second)).outcome).toBe('done');
        await world.pass(2_000);
      }
    }
    // The first `use` and `remove` are two changes; `install` takes nothing away.
    expect(await kept(world.file(`${a}.keyring`))).toEqual({ edition: 2, keys: [second] });
    expect((await stat(world.file(`${a}.keyring`))).mode & 0o777).toBe(0o600);
    await world.pass(5_000);
    expect(await world.states(b)).toEqual({ [a]: 'alive', [b]: 'alive' });
    expect(world.told.filter((line) => /suspected|dead/.test(line))).toEqual([]);
    expect(world.lines.filter((line) => line.includes(first) || line.includes(second))).toEqual([]);
  });

  it('are refused in words, and nothing changes', async () => {
    await startWith(a, [first]);
    expect(await world.keys(a, 'use', second)).toMatchObject({
      outcome: 'refused',
      reason: expect.stringContaining('install it first'),
    });
    expect(await world.keys(a, 'remove', fingerprintOf(first))).toMatchObject({ outcome: 'refused' });
    expect(await world.keys(a, 'install', 'c2hvcnQ=')).toMatchObject({
      outcome: 'refused',
      reason: expect.stringContaining('not a key'),
    });
    expect(await kept(world.file(`${a}.keyring`))).toEqual([first]);
  });

  it('are not changed in use when the file cannot be written', async () => {
    await startWith(a, [first]);
    await mkdir(world.file(`${a}.keyring.new`));
    await writeFile(join(world.file(`${a}.keyring.new`), 'in the way'), '');
    const reply = await world.keys(a, 'install', second);
    expect(reply).toMatchObject({ outcome: 'refused', reason: expect.stringContaining('cannot be written') });
    expect(reply.keys).toHaveLength(1);
  });
});
