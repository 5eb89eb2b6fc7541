import { getLeader } from '@das/contracts';
import { JetStreamKvLease } from '@das/election';
import { type NodeId, nodeId } from '@das/kernel';
import { type NatsMessageBus, ServiceBusOver, connectNats } from '@das/messaging';
import { type Logger, type RunningService, SystemClock, newId, startService } from '@das/platform';
import { natsServer } from '@das/testing';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { service } from './service.js';
import { Heard, StandInStore, beatSplitters } from './testing/stand-ins.js';

const quiet = (): void => undefined;
const log: Logger = { debug: quiet, info: quiet, warn: quiet, error: quiet };

/** With a real server, a real bucket and real disks. */
describe.each(['raft', 'lease'])('the election service over NATS, by %s', (strategy) => {
  const nats = natsServer();
  const nodes = ['node-1', 'node-2', 'node-3'].map(nodeId);
  const clock = new SystemClock();
  const services = new Map<NodeId, RunningService>();
  let home: string;
  let connection: NatsMessageBus;
  let bus: ServiceBusOver;
  let heard: Heard;
  let stopBeats: () => void;

  const start = async (node: NodeId): Promise<void> => {
    const { url, token } = nats();
    const own = { DAS_NODE: node, DAS_NATS_URL: url, DAS_NATS_TOKEN: token, DAS_HOME: home };
    // The shortest lease that is allowed: a successor that was not named has to wait for it.
    const more = { DAS_ELECTION: strategy, DAS_ELECTION_LEASE_MS: '3000' };
    const voters = strategy === 'raft' ? { DAS_ELECTION_VOTERS: nodes.join(',') } : {};
    services.set(node, await startService(service, { ...own, ...more, ...voters }, { log }));
  };

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'das-election-'));
    connection = await connectNats({ url: nats().url, token: nats().token, name: 'stand-in' });
    bus = new ServiceBusOver(connection, { node: nodeId('stand-in'), service: 'results-store' }, clock, newId);
    await new StandInStore(bus, clock).start();
    heard = await Heard.on(bus);
    const first = heard.next((message) => !message.resigned);
    for (const node of nodes) await start(node);
    stopBeats = beatSplitters(bus, clock, nodes);
    await first;
  }, 30_000);
  afterAll(async () => {
    stopBeats();
    await Promise.all([...services.values()].map((running) => running.close()));
    await bus.close();
    await rm(home, { recursive: true, force: true });
  });

  const askLeader = async (node: NodeId) => (await bus.call(getLeader, {}, { node })).body;

  it('elects one of three, whom all follow', async () => {
    const { leader, term } = await heard.next((message) => !message.resigned);
    await heard.next((message) => message.leader === leader);
    for (const node of nodes) expect(await askLeader(node)).toMatchObject({ leader, term });
  }, 20_000);

  it('elects another, in a higher term, when the leader is stopped, and takes it back as a follower', async () => {
    const { leader, term } = await heard.next((message) => !message.resigned);
    const next = heard.next((message) => message.term > term && !message.resigned);
    await services.get(leader)?.close();
    const successor = await next;
    expect(successor.leader).not.toBe(leader);
    await start(leader);
    await heard.next((message) => message.leader === successor.leader);
    let view = await askLeader(leader);
    while (view.leader === undefined) view = await askLeader(leader);
    expect(view).toMatchObject({ leader: successor.leader, term: successor.term });
  }, 30_000);

  it('keeps what it must not forget where it says', async () => {
    const votes = join(home, 'election', nodes[0] as string, 'vote-a');
    const kv = new JetStreamKvLease(connection.connection, 'das-election');
    const kept = strategy === 'raft' ? await readFile(votes, 'utf8') : (await kv.get('record'))?.value;
    expect(kept).toMatch(strategy === 'raft' ? /^das-vote-1 \d+ \d+ / : /"state":"held"/);
  });
});
