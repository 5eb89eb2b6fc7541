import { memberPresence, membershipCounted } from '@das/contracts';
import { nodeId } from '@das/kernel';
import { clusterConfig } from '@das/memberlist';
import { FakeClock } from '@das/testing';
import { GossipWorld, someKey } from './testing/gossip-world.js';

/** What goes wrong between nodes: each has a line that people understand and a count, and the cluster goes on undisturbed. */
describe('trouble with other nodes', () => {
  const [a, b, c] = [nodeId('node-a'), nodeId('node-b'), nodeId('node-c')];
  let clock: FakeClock;
  let world: GossipWorld;
  let keyring: string;

  beforeEach(async () => {
    clock = new FakeClock();
    world = await new GossipWorld(clock).begin();
    keyring = await world.keyring('cluster', [someKey(1)]);
    await world.start(a, { DAS_GOSSIP_KEYRING_FILE: keyring });
    await world.start(b, { DAS_GOSSIP_KEYRING_FILE: keyring });
    await world.until(async () => (await world.states(a))[b] === 'alive', 3_000);
    world.lines.length = 0;
    world.told.length = 0;
  });
  afterEach(async () => {
    expect(await world.states(a)).toMatchObject({ [a]: 'alive', [b]: 'alive' });
    expect(world.told.filter((line) => / (suspected|dead|left) node-[ab]$/.test(line))).toEqual([]);
    await world.end();
  });

  const addressOf = async (): Promise<string> => (await world.stats(a)).address;
  const notes = async (): Promise<Record<string, number>> => (await world.stats(a)).notes;
  const linesOf = (node: string, words: RegExp) =>
    world.lines.filter((line) => line.startsWith(`${node}: `) && words.test(line));
  const stranger = (more: object) => ({
    ...clusterConfig,
    name: 'stranger',
    secretKey: new Uint8Array(32).fill(1),
    ...more,
  });
  const knock = async (options: ReturnType<typeof stranger>, meta = new Uint8Array(0)): Promise<unknown> => {
    const other = world.foreign(options, meta);
    return world.during(other.join([await addressOf()]).catch((error: unknown) => error));
  };

  it('a node with a wrong key is refused', async () => {
    expect(await knock(stranger({ secretKey: new Uint8Array(32).fill(9) }))).toBeInstanceOf(Error);
    expect(linesOf(a, /encrypted with a key that this node does not have.*from 127\.0\.0\.1/)).toHaveLength(1);
    expect((await notes())['wire.decrypt']).toBeGreaterThan(0);
    expect(Object.keys(await world.states(a)).sort()).toEqual([a, b]);
  });

  it('a node without a key is refused', async () => {
    expect(await knock(stranger({ secretKey: undefined }))).toBeInstanceOf(Error);
    expect(linesOf(a, /not encrypted was refused/)).toHaveLength(1);
    expect((await notes())['wire.plaintext']).toBe(1);
  });

  it('a node with another label is refused', async () => {
    expect(await knock(stranger({ label: 'other' }))).toBeInstanceOf(Error);
    expect(linesOf(a, /another cluster was refused: its label is another/)).toHaveLength(1);
    expect((await notes())['wire.label']).toBe(1);
  });

  it('a node of a protocol version that does not fit is refused', async () => {
    await knock(stranger({ delegateVersion: [7, 9, 8] }));
    expect(linesOf(a, /members of another node were refused: .*version/)).toHaveLength(1);
    expect((await notes())['mergeRefused']).toBe(1);
    expect(Object.keys(await world.states(a)).sort()).toEqual([a, b]);
  });

  it('knocking again and again fills no log: one line in ten seconds, with the number of the others', async () => {
    for (let i = 0; i < 30; i += 1) {
      await knock(stranger({ label: 'other' }));
      await world.pass(500);
    }
    const lines = linesOf(a, /another cluster/);
    expect(lines).toHaveLength(2);
    expect(lines[1]).toMatch(/; \d+ more like this in between$/);
    expect((await notes())['wire.label']).toBe(30);
  });

  it('a node that takes a name in use is ignored', async () => {
    await knock(stranger({ name: b }));
    await world.pass(3_000);
    expect(
      linesOf(a, /two nodes are called node-b, at 127\.0\.0\.1:\d+ and 127\.0\.0\.1:\d+; the second is ignored/),
    ).toHaveLength(1);
    expect((await notes())['nameConflict']).toBeGreaterThan(0);
  });

  it('a second process with our name is told of, by what gossip says and by what the bus says', async () => {
    await world.pass(11_000);
    await knock(stranger({ name: a }));
    await world.until(() => linesOf(a, /two processes run as node node-a/).length > 0, 3_000);
    await world.until(() => linesOf(b, /two nodes are called node-a/).length === 1, 3_000);
    await world.pass(11_000);
    world.bus.tell(memberPresence, {
      node: a,
      address: '127.0.0.1:7',
      startedAt: clock.now(),
      label: '',
      edition: 0,
    });
    await world.pass(100);
    expect(linesOf(a, /two processes run as node node-a: the other one is at 127\.0\.0\.1:7/)).toHaveLength(1);
    expect((await notes())['ownName']).toBeGreaterThan(1);
  });

  it('a second start under our name on this machine takes another port, says so, and changes nothing', async () => {
    const { address } = await world.stats(b);
    await world.start(b, { DAS_GOSSIP_KEYRING_FILE: keyring });
    await world.pass(12_000);
    expect(
      linesOf(b, /the gossip port of the last start, \d+ on 127\.0\.0\.1, is in use; taking another/),
    ).toHaveLength(1);
    expect(linesOf(b, /two processes run as node node-b/).length).toBeGreaterThan(0);
    expect((await world.list(a)).find(({ node }) => node === b)?.address).toBe(address);
  });

  it('a port that was asked for and is in use keeps a node from starting, in words', async () => {
    const port = (await addressOf()).split(':')[1] ?? '';
    await expect(world.start(c, { DAS_GOSSIP_PORT: port })).rejects.toMatchObject({
      message: expect.stringContaining(`gossip port ${port}`) as string,
    });
  });

  it('a seed that cannot be looked up is told of, and tried on; one that comes up later is joined', async () => {
    const env = { DAS_GOSSIP_KEYRING_FILE: keyring, DAS_GOSSIP_SEEDS: 'no.such.host:1,127.0.0.1:45999' };
    await world.start(c, { ...env, DAS_GOSSIP_LABEL: 'apart' });
    await world.pass(40_000);
    expect(linesOf(c, /no\.such\.host cannot be looked up: .*ENOTFOUND.*; trying on/).length).toBeGreaterThan(1);
    expect(linesOf(c, /seed 127\.0\.0\.1:45999 cannot be joined: .*refused/).length).toBeGreaterThan(0);
    const { notes: counted } = await world.stats(c);
    expect(counted['seedUnresolved']).toBeGreaterThan(3);
    expect(counted['seedUnresolved']).toBeLessThan(12);
    await world.start(nodeId('late'), {
      DAS_GOSSIP_KEYRING_FILE: keyring,
      DAS_GOSSIP_LABEL: 'apart',
      DAS_GOSSIP_PORT: '45999',
    });
    await world.until(async () => (await world.states(c))['late'] === 'alive', 31_000);
  });

  it('a member that is none of our nodes is listed with what is known of it', async () => {
    const meta = Uint8Array.of(255, 0x81, 0xa4, 0x72, 0x6f, 0x6c, 0x65, 0xa1, 0x78);
    await knock(stranger({ name: 'agent.one.example' }), meta);
    await world.until(async () => (await world.list(b)).length === 3, 2_000);
    const listed = (await world.list(b)).find(({ node }) => node.startsWith('agent'));
    expect(listed).toEqual({
      node: expect.stringMatching(/^agent-one-example-[0-9a-f]{8}$/) as string,
      state: 'alive',
      incarnation: 1,
      address: expect.stringMatching(/^127\.0\.0\.1:\d+$/) as string,
      sinceMs: expect.any(Number) as number,
      services: [],
      labels: {},
    });
  });

  it('telemetry is told the counts', async () => {
    const told = new Promise<unknown>(
      (resolve) => void world.bus.hear(membershipCounted, (body) => body.node === a && resolve(body)),
    );
    await knock(stranger({ label: 'other' }));
    expect(await world.during(told)).toMatchObject({
      node: a,
      members: { alive: 2, dead: 0 },
      notes: { 'wire.label': 1 },
    });
  });
});
