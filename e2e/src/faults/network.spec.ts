import { until } from '../harness.js';
import { DistantCluster, bus, database, servers } from './network/distant-cluster.js';
import { canHaveNetwork, type Network } from './network/network.js';
import { expectWhole, full, midway, work } from './work.js';

const whenPossible = canHaveNetwork ? describe : describe.skip;
const whenFull = full ? it : it.skip;
const shape = work(full ? 240 : 160, 0.08);
const flapMs = 1_000;
/**
 * With a third of all packets lost half of the round trips need another try, the database's and the test's own too, and TCP waits longer for each: a
 * transaction takes seconds. Seen: 240 items in 2 to 3 minutes instead of 3 s.
 */
const lossyMs = 300_000;
const lostMin = 50;

whenPossible('a cluster on a network that fails', () => {
  let cluster: DistantCluster;
  let network: Network;
  beforeAll(async () => {
    cluster = await DistantCluster.start(full ? 5 : 3);
    network = cluster.network;
  });
  // Healing needs no hand: every node takes jobs again, sees every other and names the same leader.
  afterEach(async () => {
    await network.heal();
    await cluster.whole();
  });
  afterAll(() => cluster?.stop());

  /** Submits to `contact`, breaks the network in mid-job, and lets it be until the job has ended there and its results are whole there. */
  async function duringAJob(contact: string, fault: () => Promise<void>): Promise<void> {
    const rest = cluster.rest(contact);
    const job = await rest.submit(shape.submission);
    await midway(rest, job.id, shape);
    await fault();
    await cluster.ended(job.id, contact);
    await expectWhole(rest, job.id, shape);
  }

  const others = (...out: readonly string[]): string[] => cluster.nodes.filter((node) => !out.includes(node));

  it('the leader alone on its side: the side with the store goes on under a higher term', async () => {
    const { leader, term } = await cluster.agreed(cluster.nodes);
    const rest = others(leader);
    await duringAJob(rest[0]!, () => network.between([leader], [...rest, ...servers], 'cut'));
    const next = await cluster.agreed(rest);
    expect(next.leader).not.toBe(leader);
    expect(next.term).toBeGreaterThan(term);
  });

  whenFull('most nodes on the side without the store: the few go on', async () => {
    const { leader } = await cluster.agreed(cluster.nodes);
    const few = others(leader).slice(0, 2);
    await duringAJob(few[0]!, () => network.between(others(...few), [...few, ...servers], 'cut'));
    await cluster.agreed(few);
  });

  whenFull('most nodes on the side with the store', async () => {
    const { leader } = await cluster.agreed(cluster.nodes);
    const many = others(leader).slice(0, 3);
    await duringAJob(many[0]!, () => network.between(others(...many), [...many, ...servers], 'cut'));
    await cluster.agreed(many);
  });

  whenFull('nodes that cannot reach each other, only the servers', async () => {
    const { leader } = await cluster.agreed(cluster.nodes);
    const [one, two] = [others(leader)[0]!, others(leader)[1]!];
    await duringAJob(one, () => network.between([one, two], others(one, two), 'cut'));
  });

  whenFull('a leader that is heard but hears nobody', async () => {
    const { leader } = await cluster.agreed(cluster.nodes);
    await duringAJob(others(leader)[0]!, () => network.oneWay([...others(leader), ...servers], [leader], 'cut'));
    await cluster.agreed(others(leader));
  });

  whenFull('a leader that hears but is not heard', async () => {
    const { leader } = await cluster.agreed(cluster.nodes);
    await duringAJob(others(leader)[0]!, () => network.oneWay([leader], [...others(leader), ...servers], 'cut'));
    await cluster.agreed(others(leader));
  });

  whenFull('a leader without the database, on the bus all the same', async () => {
    const { leader } = await cluster.agreed(cluster.nodes);
    await duringAJob(others(leader)[0]!, () => network.between([leader], [database], 'cut'));
  });

  whenFull('a leader without the bus, at the database all the same', async () => {
    const { leader } = await cluster.agreed(cluster.nodes);
    await duringAJob(others(leader)[0]!, () => network.between([leader], [bus], 'cut'));
    await cluster.agreed(others(leader));
  });

  whenFull('a chain: each node reaches its neighbours and the servers, and no other', async () => {
    const { nodes } = cluster;
    await duringAJob(nodes[0]!, async () => {
      for (const [index, node] of nodes.entries()) await network.between([node], nodes.slice(index + 2), 'cut');
    });
  });

  whenFull('25 ms each way, everywhere', async () => {
    await duringAJob(cluster.nodes[1]!, () => network.between(network.hosts, network.hosts, { delayMs: 25 }));
  });

  whenFull.each([10, 30])(
    '%i %% of all packets lost, everywhere',
    async (lossPercent) => {
      const { lost } = await network.counts();
      await network.between(network.hosts, network.hosts, { lossPercent });
      const contact = cluster.nodes[1]!;
      const job = await until('the job is taken', () => cluster.rest(contact).submit(shape.submission));
      await cluster.ended(job.id, contact, lossyMs);
      expect((await network.counts()).lost - lost).toBeGreaterThan(lostMin);
      await network.heal();
      await expectWhole(cluster.rest(contact), job.id, shape);
    },
    lossyMs + 60_000,
  );

  whenFull('a link that comes and goes', async () => {
    const { leader } = await cluster.agreed(cluster.nodes);
    const contact = others(leader)[0]!;
    const job = await cluster.rest(contact).submit(shape.submission);
    await midway(cluster.rest(contact), job.id, shape);
    for (let turn = 0; turn < 4; turn += 1) {
      await network.between([leader], [...others(leader), ...servers], 'cut');
      await new Promise((done) => setTimeout(done, flapMs));
      await network.heal();
      await new Promise((done) => setTimeout(done, flapMs));
    }
    await cluster.ended(job.id, contact);
    await expectWhole(cluster.rest(contact), job.id, shape);
  });
});
