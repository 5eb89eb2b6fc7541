import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type NodeId, nodeId } from '@das/kernel';
import { FakeClock } from '@das/testing';
import type { KeyRing } from './core/key-ring.js';
import { membershipLimits } from './limits.js';
import { GossipWorld, someKey } from './testing/gossip-world.js';

/** Who was away while keys were changed: newer keys win, whoever starts first and whoever is together. */
describe('keys that nodes missed', () => {
  const [a, b, c, d] = [nodeId('node-a'), nodeId('node-b'), nodeId('node-c'), nodeId('node-d')];
  const old: KeyRing = { edition: 1, keys: [someKey(1)] };
  const fresh: KeyRing = { edition: 3, keys: [someKey(2)] };
  let world: GossipWorld;

  beforeEach(async () => {
    world = await new GossipWorld(new FakeClock()).begin();
  });
  afterEach(() => world.end());

  const startWith = async (ring: KeyRing, ...nodes: NodeId[]): Promise<void> => {
    for (const node of nodes) {
      await world.ringOf(node, ring);
      await world.start(node);
    }
  };
  const kept = async (node: NodeId): Promise<unknown> =>
    JSON.parse(await readFile(join(world.home(node), 'gossip', `${node}.keyring`), 'utf8')) as unknown;
  const wholeWithin = async (withinMs: number, ...nodes: NodeId[]): Promise<void> => {
    const whole = Object.fromEntries(nodes.map((node) => [node, 'alive']));
    for (const node of nodes)
      await world.until(
        async () =>
          JSON.stringify(Object.entries(await world.states(node)).sort()) === JSON.stringify(Object.entries(whole)),
        withinMs,
      );
  };
  const allHave = async (ring: KeyRing, ...nodes: NodeId[]): Promise<void> => {
    for (const node of nodes) expect([node, await kept(node)]).toEqual([node, ring]);
  };

  it('are taken by two that start together with old ones, and are never alone', async () => {
    await startWith(old, c, d);
    await wholeWithin(3_000, c, d);
    await startWith(fresh, a, b);
    await wholeWithin(60_000, a, b, c, d);
    await allHave(fresh, a, b, c, d);
  });

  it('do not give way to old ones when the whole cluster restarts and a stale node comes up first', async () => {
    await startWith(old, a);
    await world.pass(5_000);
    await startWith(fresh, b, c);
    await wholeWithin(30_000, a, b, c);
    await allHave(fresh, a, b, c);
    expect(world.lines.filter((line) => line.includes('took the gossip keys'))).toEqual([
      expect.stringContaining('node-a: took the gossip keys of node-') as string,
    ]);
  });

  it('come before those that nodes made of the token because nobody was there', async () => {
    await Promise.all([world.start(c), world.start(d)]);
    await wholeWithin(3_000, c, d);
    await startWith({ ...fresh, edition: 1 }, a);
    await wholeWithin(30_000, a, c, d);
    await allHave({ ...fresh, edition: 1 }, a, c, d);
  });

  it('decrypt beside the old ones for a while only', async () => {
    await startWith(old, a);
    await startWith(fresh, b);
    await wholeWithin(30_000, a, b);
    const { address } = await world.stats(a);
    const notUnderstood = async (name: string): Promise<boolean> => {
      const count = async () => (await world.stats(a)).notes['wire.decrypt'] ?? 0;
      const before = await count();
      const late = world.foreign({ name, secretKey: new Uint8Array(32).fill(1) }, new Uint8Array(0));
      await world.during(late.join([address]).catch(() => undefined));
      return (await count()) > before;
    };
    expect(await notUnderstood('late')).toBe(false);
    await world.pass(membershipLimits.retireKeysMs + 1_000);
    expect(await notUnderstood('too-late')).toBe(true);
    expect((await world.keys(a, 'list')).keys).toHaveLength(1);
  });

  it('are asked for by a member too: one that missed only the last step', async () => {
    const both = [someKey(2), someKey(1)];
    await startWith({ edition: 2, keys: both }, a, b);
    await wholeWithin(3_000, a, b);
    await world.keys(a, 'remove', someKey(1));
    await world.until(async () => (await world.keys(b, 'list')).keys.length === 1, 15_000);
    await allHave(fresh, a, b);
    expect(world.told.filter((line) => /suspected|dead/.test(line))).toEqual([]);
  });

  it('never replace a file that an operator keeps: the remedy is told', async () => {
    await startWith(fresh, a);
    const file = await world.keyring('by hand', old.keys);
    await world.start(b, { DAS_GOSSIP_KEYRING_FILE: file });
    await world.pass(12_000);
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual(old.keys);
    expect(await world.states(b)).toEqual({ [b]: 'alive' });
    expect(world.lines).toContainEqual(expect.stringMatching(/^node-b: node node-a has newer gossip keys .*by hand/));
    await allHave(fresh, a);
  });

  it('of the same edition are judged by nobody: the remedy is told, and heals', async () => {
    await startWith(fresh, a);
    await startWith({ ...fresh, keys: [someKey(5)] }, b);
    await world.pass(12_000);
    await allHave(fresh, a);
    expect(world.lines).toContainEqual(expect.stringMatching(/other gossip keys of the same .*keys install/));
    await world.keys(b, 'install', someKey(2));
    await world.keys(b, 'use', someKey(2));
    await wholeWithin(30_000, a, b);
    // They understand each other before the other one has heard of the new edition: whoever answers must have it.
    for (const node of [a, b]) await world.until(async () => ((await kept(node)) as KeyRing).edition === 4, 30_000);
    expect((await world.bootstrap()).edition).toBe(4);
  });

  it('that cannot be written leave everything as it was, and are told of', async () => {
    await startWith(fresh, a);
    await world.ringOf(b, old);
    const fault = join(world.home(b), 'gossip', `${b}.keyring.new`);
    await mkdir(fault);
    await writeFile(join(fault, 'in the way'), '');
    await world.start(b);
    await world.until(async () => ((await world.stats(b)).notes['keysStale'] ?? 0) > 0, 15_000);
    await allHave(old, b);
  });
});
